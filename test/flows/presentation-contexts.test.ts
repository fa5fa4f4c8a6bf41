/**
 * What may be sent at all: every storage class and every transfer syntax, those of makers among them, and nothing is
 * converted.
 */
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { DICOM_UID } from '../../profiles/codes.ts';
import { parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { element, hostileDataSet, hostileUids } from '../hostile/dicom/raw-data-set.ts';
import { associateModality, storeBytes } from '../hostile/dicom/store.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { runProgram } from '../support/peers/dcmtk.ts';
import { establishmentCaller } from '../support/demonstration.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { PYTHON } from '../support/peers/python-peers.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { partsOf, readReply } from './support/door.ts';
import { PEER_SCRIPT } from './support/peers/reference.ts';

const { strasbourg } = ESTABLISHMENTS;
/** Storage classes and transfer syntaxes: of a maker, of a later edition, and retired. */
const CLASSES = [
  '1.3.12.2.1107.5.9.1',
  '1.2.840.113619.4.30',
  '1.2.840.10008.5.1.4.1.1.9999.1',
  '1.2.840.10008.5.1.4.34.7',
  '1.2.840.10008.5.1.1.30',
];
const SYNTAXES = [
  '1.2.840.113619.5.3',
  '1.3.46.670589.33.1.4.1',
  '1.2.840.10008.1.2.4.999',
  '1.2.840.10008.1.2.4.53',
  DICOM_UID.implicitLittleEndian,
];
const REFERENCED_PIXELS = [
  DICOM_UID.jpipReferenced,
  DICOM_UID.jpipReferencedDeflate,
  DICOM_UID.jpipHtj2kReferenced,
  DICOM_UID.jpipHtj2kReferencedDeflate,
];
const ACCEPTED = 0;

describe('Presentation contexts (PS3.8 9.3.2.2, PS3.4 B.5)', function () {
  this.timeout(60_000);
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(async () => await server?.stop());

  it(
    'are accepted for every storage class and transfer syntax that pynetdicom knows, but those whose pixels stay ' +
      'elsewhere',
    async function offer() {
      if (!hasProgram(PYTHON)) this.skip();
      const { host, port, aeTitle } = server.dimse;
      const { code, output } = await runProgram(PYTHON, [
        PEER_SCRIPT,
        'offer',
        host,
        String(port),
        strasbourg.aeTitle,
        aeTitle,
      ]);
      expect(code, output).to.equal(0);
      const answers = output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { abstractSyntax: string; transferSyntax: string; result: number });
      expect(answers.length).to.be.greaterThan(200);
      const refused = answers.filter(({ result }) => result !== ACCEPTED).map(({ transferSyntax }) => transferSyntax);
      expect(REFERENCED_PIXELS).to.include.members(refused);
    },
  );

  it('of makers, of later editions and of retired ones carry objects that come back as they were sent', async () => {
    const { token } = await establishmentCaller(server, 'strasbourg');
    for (const [at, sopClassUID] of CLASSES.entries()) {
      const transferSyntaxUID = SYNTAXES[at] ?? '';
      const uids = hostileUids(`context/${at}`);
      const plain = hostileDataSet(`context/${at}`, {
        '00080016': element('00080016', 'UI', sopClassUID),
        '00291010': element('00291010', 'OB', Buffer.alloc(200, 7)),
      });
      const dataSet = transferSyntaxUID === DICOM_UID.implicitLittleEndian ? toImplicit(plain) : plain;
      const association = await associateModality(server, transferSyntaxUID, sopClassUID);
      expect(await storeBytes(association, uids.sopInstanceUID, dataSet, sopClassUID), sopClassUID).to.equal(0);
      association.socket.destroy();
      const path = `studies/${uids.studyInstanceUID}/series/${uids.seriesInstanceUID}/instances/${uids.sopInstanceUID}`;
      const headers = {
        Authorization: `Bearer ${token}`,
        Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
      };
      const reply = await eventually(
        async () =>
          await readReply(await fetch(`${server.url}/dicom-web/${path}`, { headers })).then((one) =>
            one.status === 404 ? undefined : one,
          ),
      );
      const [part] = partsOf(reply);
      const content = part?.content ?? Buffer.alloc(0);
      const meta = parseFileMeta(content);
      expect(meta).to.include({ sopClassUID, transferSyntaxUID });
      expect(content.subarray(meta.dataSetOffset).equals(dataSet), sopClassUID).to.equal(true);
    }
  });
});

/** Writes elements of explicit VR anew without their VR. */
function toImplicit(dataSet: Buffer): Buffer {
  const elements: Buffer[] = [];
  for (let at = 0; at < dataSet.length;) {
    const isLong = dataSet.toString('latin1', at + 4, at + 6) === 'OB';
    const [from, length] = isLong ? [at + 12, dataSet.readUInt32LE(at + 8)] : [at + 8, dataSet.readUInt16LE(at + 6)];
    const header = Buffer.from([...dataSet.subarray(at, at + 4), 0, 0, 0, 0]);
    header.writeUInt32LE(length, 4);
    elements.push(header, dataSet.subarray(from, from + length));
    at = from + length;
  }
  return Buffer.concat(elements);
}
