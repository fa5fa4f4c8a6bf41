"""A storage peer of pynetdicom, an implementation that shares no code with the server.

send HOST PORT CALLING CALLED FOLDER   sends every file of a folder on one association, as a dataset that pydicom has read
offer HOST PORT CALLING CALLED         offers every storage class and every transfer syntax that pydicom knows
receive FOLDER                         takes what is sent, until stdin ends: the data set as it came, under its SOP Instance UID

Each writes one JSON object a line.
"""
import json
import sys
from pathlib import Path

from pydicom import dcmread
from pydicom.uid import AllTransferSyntaxes, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, AllStoragePresentationContexts, _config, build_context, evt

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MAX_CONTEXTS = 128


def tell(**what):
    print(json.dumps(what), flush=True)


def read(path):
    dataset = dcmread(path, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return dataset


def associate(contexts, host, port, calling, called):
    entity = AE(ae_title=calling)
    entity.requested_contexts = contexts
    association = entity.associate(host, int(port), ae_title=called)
    if not association.is_established:
        sys.exit("The association was refused")
    return association


def send_one(association, path, dataset):
    try:
        status = association.send_c_store(dataset)
        tell(file=path.name, status=status.get("Status"), comment=str(status.get("ErrorComment", "")))
    except Exception as error:
        tell(file=path.name, error=f"{type(error).__name__}: {error}")


def send(host, port, calling, called, folder):
    readable = {}
    for path in sorted(Path(folder).iterdir()):
        try:
            dataset = read(path)
            readable[path] = (dataset, (str(dataset.SOPClassUID), str(dataset.file_meta.TransferSyntaxUID)))
        except Exception as error:
            tell(file=path.name, error=f"{type(error).__name__}: {error}")
    pairs = sorted({pair for _, pair in readable.values()})
    association = associate([build_context(*pair) for pair in pairs], host, port, calling, called)
    for path, (dataset, _) in readable.items():
        send_one(association, path, dataset)
    association.release()


def offer(host, port, calling, called):
    classes = sorted({str(context.abstract_syntax) for context in AllStoragePresentationContexts})
    offered = [build_context(uid, ExplicitVRLittleEndian) for uid in classes]
    offered += [build_context(CT_IMAGE, uid) for uid in AllTransferSyntaxes]
    for start in range(0, len(offered), MAX_CONTEXTS):
        association = associate(offered[start : start + MAX_CONTEXTS], host, port, calling, called)
        for context in association.accepted_contexts + association.rejected_contexts:
            tell(abstractSyntax=str(context.abstract_syntax), transferSyntax=str(context.transfer_syntax[0]), result=context.result)
        association.release()


def receive(folder):
    _config.UNRESTRICTED_STORAGE_SERVICE = True

    def keep(event):
        uid = str(event.request.AffectedSOPInstanceUID)
        (Path(folder) / uid).write_bytes(event.request.DataSet.getvalue())
        tell(sopInstanceUID=uid, sopClassUID=str(event.request.AffectedSOPClassUID), transferSyntaxUID=str(event.context.transfer_syntax))
        return 0x0000

    server = AE(ae_title="REFERENCE").start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    tell(port=server.server_address[1])
    sys.stdin.read()
    server.shutdown()


{"send": send, "offer": offer, "receive": receive}[sys.argv[1]](*sys.argv[2:])
