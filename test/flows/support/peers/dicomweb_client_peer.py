"""Runs dicomweb-client of PyPI against a server and reports in JSON what it got.

Arguments: the address of DICOMweb, the token of the establishment that sends, the token of another one, and a folder
with the files of a study (images-N.dcm) and of a study that is a document (document-0.dcm).
"""
import base64
import hashlib
import io
import json
import sys
import time
from pathlib import Path

import pydicom
import requests
from dicomweb_client.api import DICOMwebClient

url, token, other_token, folder = sys.argv[1:5]


def client_of(bearer):
    return DICOMwebClient(url=url, headers={"Authorization": f"Bearer {bearer}"})


def digest_of(dataset):
    """The SHA-256 of the data set behind the file meta information, as it is written unchanged."""
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    whole = buffer.getvalue()
    # Group 0002 begins behind preamble and prefix with its own length (PS3.10 section 7.1).
    length = int.from_bytes(whole[140:144], "little")
    return hashlib.sha256(whole[144 + length :]).hexdigest()


client = client_of(token)
images = [pydicom.dcmread(path) for path in sorted(Path(folder).glob("images-*.dcm"))]
document = pydicom.dcmread(Path(folder) / "document-0.dcm")
study, series, instance = images[0].StudyInstanceUID, images[0].SeriesInstanceUID, images[0].SOPInstanceUID

stored = 0
for files in (images, [document]):
    stored += len(client.store_instances(files).ReferencedSOPSequence)
for uid in (study, document.StudyInstanceUID):
    for _ in range(100):
        if client.search_for_studies(search_filters={"StudyInstanceUID": uid}):
            break
        time.sleep(0.1)

found = {
    "studies": len(client.search_for_studies(fuzzymatching=False, limit=10, search_filters={"StudyInstanceUID": study, "PatientName": "VALBR*"}, fields=["StudyDescription"])),
    "series": len(client.search_for_series(study)),
    "instances": len(client.search_for_instances(study)),
    "acrossSeries": len(client.search_for_series(search_filters={"SeriesInstanceUID": series})),
    "acrossInstances": len(client.search_for_instances(search_filters={"SOPInstanceUID": instance})),
    "none": len(client.search_for_studies(search_filters={"PatientID": "nobody"})),
}
metadata = {
    "study": len(client.retrieve_study_metadata(study)),
    "series": len(client.retrieve_series_metadata(study, series)),
    "instance": 1 if client.retrieve_instance_metadata(study, series, instance)["00080018"]["Value"] == [instance] else 0,
}
digests = {
    "study": [digest_of(one) for one in client.retrieve_study(study)],
    "series": [digest_of(one) for one in client.retrieve_series(study, series)],
    "instance": [digest_of(client.retrieve_instance(study, series, instance))],
}
frame = client.retrieve_instance_frames(study, series, instance, [1])[0]
[described] = client.retrieve_study_metadata(document.StudyInstanceUID)
bulk_uri = f"{url}/studies/{document.StudyInstanceUID}/series/{document.SeriesInstanceUID}/{described['00420011']['BulkDataURI']}"
bulk = client.retrieve_bulkdata(bulk_uri)[0]

other = client_of(other_token)
hidden = {"studies": len(other.search_for_studies()), "series": len(other.search_for_series(study))}
try:
    other.retrieve_instance(study, series, instance)
    hidden["instance"] = 200
except requests.HTTPError as error:
    hidden["instance"] = error.response.status_code

print(json.dumps({
    "stored": stored,
    "found": found,
    "metadata": metadata,
    "digests": digests,
    "frame": base64.b64encode(frame).decode(),
    "bulk": base64.b64encode(bulk).decode(),
    "hidden": hidden,
}))
