/** A study over the web: STOW-RS by the client of an establishment, then found and opened through DICOMweb. */
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import type { DicomJson } from '../../profiles/dicom/json/json.ts';
import { byStudyUid, establishmentCaller, personCaller } from '../support/demonstration.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { dataSetDigest } from './support/exam.ts';
import { partsOf, readReply, type Reply } from './support/door.ts';

const BOUNDARY = 'e2c1f0f4-stow';

describe('STOW-RS, QIDO-RS and WADO-RS (RAD-108, RAD-129, RAD-107) on one server', function () {
  this.timeout(60_000);
  let server: TestServer;
  let sender: FhirCaller;

  before(async () => {
    server = await startServer();
    sender = await establishmentCaller(server, 'strasbourg');
  });

  after(async () => {
    await server?.stop();
  });

  const get = async ({ token }: FhirCaller, path: string, accept: string): Promise<Reply> =>
    await readReply(
      await fetch(`${server.url}/dicom-web${path}`, { headers: { Authorization: `Bearer ${token}`, Accept: accept } }),
    );

  const matches = async (caller: FhirCaller, path: string): Promise<readonly DicomJson[]> => {
    const { status, body } = await get(caller, path, 'application/dicom+json');
    expect(status, body.toString()).to.equal(200);
    return JSON.parse(body.toString()) as DicomJson[];
  };

  const post = async ({ token }: FhirCaller, files: readonly Uint8Array[]): Promise<Reply> => {
    const parts = files.flatMap((bytes) => [
      Buffer.from(`--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`),
      Buffer.from(bytes),
      Buffer.from('\r\n'),
    ]);
    const headers = {
      Authorization: `Bearer ${token}`,
      'Content-Type': `multipart/related; type="application/dicom"; boundary=${BOUNDARY}`,
    };
    return await readReply(
      await fetch(`${server.url}/dicom-web/studies`, {
        method: 'POST',
        headers,
        body: Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--`)]),
      }),
    );
  };

  it('stores a study that its sender finds and opens, whole and unchanged, and nobody else', async () => {
    const study = aStudy({ key: 'over the web', series: 2, instances: 3 });
    const files = [...study.instances()];
    const stored = await post(
      sender,
      files.map(({ bytes }) => bytes),
    );
    expect(stored.status, stored.body.toString()).to.equal(200);
    const place = `/studies/${study.studyInstanceUID}`;
    expect(JSON.parse(stored.body.toString())).to.have.nested.property(
      '00081190.Value[0]',
      `${server.url}/dicom-web${place}`,
    );
    const [resource] = await eventually(async () => {
      const found = await sender.find(`ImagingStudy?${byStudyUid(study)}`);
      return found.length === 0 ? undefined : found;
    });
    expect(resource?.resourceType).to.equal('ImagingStudy');
    const series = await matches(sender, `${place}/series`);
    expect(series.map((one) => one['00201209']?.Value?.[0])).to.deep.equal([3, 3]);
    expect(
      await matches(
        sender,
        `/studies?StudyInstanceUID=${study.studyInstanceUID}&StudyID=${study.accessionNumber.slice(-6)}`,
      ),
    ).to.have.length(1);
    const whole = partsOf(await get(sender, place, 'multipart/related; type="application/dicom"; transfer-syntax=*'));
    expect(whole.map(({ content }) => dataSetDigest(content))).to.have.members(
      files.map(({ bytes }) => dataSetDigest(Buffer.from(bytes))),
    );
    const [file] = files;
    if (file === undefined) throw new Error('The study is empty');
    const frame = partsOf(
      await get(
        sender,
        `${place}/series/${file.seriesInstanceUID}/instances/${file.sopInstanceUID}/frames/1`,
        'multipart/related; type="application/octet-stream"',
      ),
    );
    const { dataSetOffset } = parseFileMeta(file.bytes);
    expect(Buffer.from(file.bytes.subarray(dataSetOffset)).includes(frame[0]?.content ?? Buffer.from('none'))).to.equal(
      true,
    );
    const other = await establishmentCaller(server, 'nancy');
    expect(await matches(other, `${place}/series`)).to.deep.equal([]);
    expect((await get(other, place, '*/*')).status).to.equal(404);
  });

  it('takes nothing from a professional, nor from a client whose scopes only read', async () => {
    const [file] = aStudy({ key: 'refused' }).instances();
    const reader = await establishmentCaller(server, 'strasbourg', 'system/*.rs');
    expect((await post(reader, [file?.bytes ?? new Uint8Array()])).status).to.equal(403);
    const professional = await personCaller(server, 'demo-radiologist');
    expect((await post(professional, [file?.bytes ?? new Uint8Array()])).status).to.equal(403);
  });
});
