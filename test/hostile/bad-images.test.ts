/** Bad DICOM at the running server: unknown callers, cut objects, bytes that are no DICOM. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { DICOM_UID } from '../../profiles/codes.ts';
import { parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { associateRequest, CT_IMAGE, dataPDU, storeRequest } from '../server/endpoints/dimse/door.ts';
import { byStudyUid, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { orphanFiles } from '../support/data-folder/orphan-files.ts';
import { gather, openRaw } from '../support/clients/raw-http.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { descriptorsOf, expectDiscreetLog, expectNothingLeft, expectWhole, residentMegabytes } from './server-state.ts';

const MODALITY = 'DEMO_MODALITY';
/** An object of so many bytes is not held back in memory; it is sent in pieces. */
const LARGE = 8_000_000;
const PIECE = 500_000;

describe('Bad images', () => {
  let region: Demonstration;
  let memory = 0;
  let atFirst: ReturnType<typeof descriptorsOf>;
  // Good studies that the tests themselves send.
  let sent = 0;
  before(async function start() {
    this.timeout(60_000);
    region = await startDemonstration({ env: { LOG_LEVEL: 'debug' } });
    memory = residentMegabytes(region.server);
    atFirst = descriptorsOf(region.server);
  });
  afterEach(async () => {
    await expectWhole(region, sent);
    expectDiscreetLog(region.server);
  });
  after(async () => await region?.server.stop());

  async function nothingIsLeft(): Promise<void> {
    await eventually(async () => ((await orphanFiles(region.server.dataDir)).length === 0 ? true : undefined));
  }

  /** Opens an association by hand; resolves with its socket once something was answered. */
  async function associate(calling: string) {
    const { host, port } = region.server.dimse;
    const socket = openRaw(`http://${host}:${port}`);
    const contexts = [{ id: 3, abstractSyntax: CT_IMAGE, transferSyntaxes: [DICOM_UID.explicitLittleEndian] }];
    socket.write(associateRequest({ calling, contexts }));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return { socket, answer };
  }

  it('I15 rejects an association of an AE title that nobody registered: source 1, reason 3', async () => {
    const { socket, answer } = await associate('STRANGER');
    socket.destroy();
    expect([...answer.subarray(0, 10)]).to.deep.equal([0x03, 0, 0, 0, 0, 4, 0, 1, 1, 3]);
    const refused = await sendStudy(region.server, aStudy({ key: 'bad/stranger' }), 'STRANGER').catch(
      (error: unknown) => String(error),
    );
    expect(refused).to.include('rejected');
  });

  it('I12 keeps nothing of an object whose sender goes away in its middle', async () => {
    const [instance] = aStudy({
      key: 'bad/cut',
      patient: PATIENTS.gaetan,
      attributes: { '00191001:OB': new Uint8Array(LARGE) },
    }).instances();
    if (instance === undefined) throw new Error('The study has no instance');
    const dataSet = instance.bytes.subarray(parseFileMeta(instance.bytes).dataSetOffset);
    const { socket } = await associate(MODALITY);
    socket.write(storeRequest(instance.sopInstanceUID));
    for (let at = 0; at < dataSet.length - 100; at += PIECE)
      socket.write(dataPDU(3, dataSet.subarray(at, Math.min(at + PIECE, dataSet.length - 100)), { isLast: false }));
    await eventually(async () => ((await orphanFiles(region.server.dataDir)).length > 0 ? true : undefined));
    socket.destroy();
    await nothingIsLeft();
    expect(
      await region.strasbourg.find<ImagingStudy>(`ImagingStudy?${byStudyUid(aStudy({ key: 'bad/cut' }))}`),
    ).to.deep.equal([]);
  });

  it('I12 answers an object that is cut short as not understood, and serves the next one', async () => {
    const study = aStudy({ key: 'bad/short', patient: PATIENTS.gaetan, instances: 2 });
    const [bad, good] = [...study.instances()];
    if (bad === undefined || good === undefined) throw new Error('The study has too few instances');
    const dataSet = bad.bytes.subarray(parseFileMeta(bad.bytes).dataSetOffset);
    const { socket } = await associate(MODALITY);
    socket.write(storeRequest(bad.sopInstanceUID, { messageID: 1 }));
    socket.write(dataPDU(3, dataSet.subarray(0, dataSet.length - 100)));
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(statusOf(first) >> 12, `status ${statusOf(first).toString(16)}`).to.be.oneOf([0xc, 0xa]);
    socket.write(storeRequest(good.sopInstanceUID, { messageID: 2 }));
    socket.write(dataPDU(3, good.bytes.subarray(parseFileMeta(good.bytes).dataSetOffset)));
    const [second] = (await once(socket, 'data')) as [Buffer];
    expect(statusOf(second)).to.equal(0);
    sent += 1;
    socket.destroy();
    await eventually(
      async () => (await region.strasbourg.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}&status=available`))[0],
    );
    await nothingIsLeft();
  });

  it('I12 refuses a file that storescu sends cut, and takes the whole one', async function storescu() {
    if (!hasProgram('storescu')) this.skip();
    const folder = await mkdtemp(join(tmpdir(), 'bad-images-'));
    try {
      const [instance] = aStudy({ key: 'bad/storescu', patient: PATIENTS.gaetan }).instances();
      const bytes = instance?.bytes ?? Buffer.alloc(0);
      await writeFile(join(folder, 'cut.dcm'), bytes.subarray(0, bytes.length - 200));
      await writeFile(join(folder, 'noise.dcm'), Buffer.alloc(5_000, 0x41));
      await writeFile(join(folder, 'whole.dcm'), bytes);
      const { host, port, aeTitle } = region.server.dimse;
      const send = async (file: string): Promise<number> => {
        const child = spawn('storescu', ['-aet', MODALITY, '-aec', aeTitle, host, String(port), join(folder, file)], {
          stdio: 'ignore',
        });
        const [code] = (await once(child, 'exit')) as [number];
        return code;
      };
      expect(await send('cut.dcm')).to.not.equal(0);
      expect(await send('noise.dcm')).to.not.equal(0);
      expect(await send('whole.dcm')).to.equal(0);
      sent += 1;
      await eventually(
        async () =>
          (
            await region.strasbourg.find<ImagingStudy>(
              `ImagingStudy?${byStudyUid(aStudy({ key: 'bad/storescu' }))}&status=available`,
            )
          )[0],
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('I01 ends connections that speak no DICOM, and lengths that cannot be', async () => {
    const { host, port } = region.server.dimse;
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([1, 0, 0xff, 0xff, 0xff, 0xff, 0, 1]),
      Buffer.from([4, 0, 0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0x99, 0, 0, 0, 0, 1, 0]),
    ]) {
      const socket = openRaw(`http://${host}:${port}`);
      socket.write(bytes);
      expect((await gather(socket, 5_000)).isClosed, bytes.toString('hex').slice(0, 20)).to.equal(true);
    }
  });

  it('holds no memory, file, descriptor or connection for any of it', async () => {
    await expectNothingLeft(region.server, atFirst);
    expect(residentMegabytes(region.server) - memory).to.be.lessThan(100);
  });
});

/** Status (0000,0900) of a C-STORE-RSP: the command set is in implicit little endian. */
function statusOf(pdu: Buffer): number {
  const at = pdu.indexOf(Buffer.from([0x00, 0x00, 0x00, 0x09, 0x02, 0x00, 0x00, 0x00]));
  if (at === -1) throw new Error(`No status: ${pdu.toString('hex')}`);
  return pdu.readUInt16LE(at + 8);
}
