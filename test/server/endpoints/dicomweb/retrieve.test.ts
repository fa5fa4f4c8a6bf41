import { request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { openClinic, type Clinic, type ClinicStudy } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, askJson, BASE_URL, serveDicomweb } from './door.ts';
import { watchImages } from './watched-images.ts';
import { partsOf as splitParts, type Part } from './parts.ts';

async function partsOf(response: Response): Promise<readonly Part[]> {
  return await splitParts(response, 'application/dicom');
}

describe('WADO-RS Retrieve (PS3.18 10.4)', () => {
  let clinic: Clinic;
  let door: ServedRouter;
  let study: string;

  beforeEach(async () => {
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
    study = `/studies/${clinic.ct.studyInstanceUID}`;
  });

  afterEach(async () => {
    await door.close();
    await clinic.close();
  });

  function pathOf({ instances }: ClinicStudy, at: number): string {
    const row = instances[at]?.row;
    return `/studies/${row?.studyInstanceUID}/series/${row?.seriesInstanceUID}/instances/${row?.sopInstanceUID}`;
  }

  it('sends a study as its files, each with its transfer syntax and location', async () => {
    const response = await ask(door, study, 'lambert', {
      Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
    });
    expect(response.status).to.equal(200);
    expect(response.headers.get('Cache-Control')).to.equal('private, no-store');
    const parts = await partsOf(response);
    const expected = clinic.ct.instances.map(({ bytes }, at) => ({
      type: `application/dicom; transfer-syntax=${DICOM_UID.explicitLittleEndian}`,
      location: `${BASE_URL}${pathOf(clinic.ct, at)}`,
      content: bytes,
    }));
    expect(parts).to.deep.equal(expected);
  });

  it('sends a series, an instance as a part, and an instance alone', async () => {
    const [first, second, third] = clinic.ct.instances;
    const series = await partsOf(await ask(door, `${study}/series/${clinic.ct.studyInstanceUID}.1`));
    expect(series.map(({ content }) => content)).to.deep.equal([first?.bytes, second?.bytes]);
    const part = await partsOf(await ask(door, pathOf(clinic.ct, 2)));
    expect(part.map(({ content }) => content)).to.deep.equal([third?.bytes]);
    const single = await ask(door, pathOf(clinic.ct, 2), 'lambert', { Accept: 'application/dicom' });
    expect(single.headers.get('Content-Type')).to.equal(
      `application/dicom; transfer-syntax=${DICOM_UID.explicitLittleEndian}`,
    );
    expect(single.headers.get('Content-Length')).to.equal(String(third?.bytes.length));
    expect(single.headers.get('Content-Location')).to.equal(`${BASE_URL}${pathOf(clinic.ct, 2)}`);
    expect(Buffer.from(await single.arrayBuffer())).to.deep.equal(third?.bytes);
  });

  it('takes Accept as clients write it, and as a query parameter', async () => {
    const accepted = [
      '*/*',
      'multipart/related',
      'multipart/related; type=application/dicom',
      'Multipart/Related; Type="application/dicom"; transfer-syntax="*"',
      `multipart/related; type="application/dicom"; transfer-syntax=${DICOM_UID.explicitLittleEndian}`,
      'multipart/related; type="image/jpeg";q=0.9, multipart/related;type=application/dicom;q=0.5',
      'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.80, multipart/related; ' +
        'type="application/dicom"',
    ];
    for (const accept of accepted)
      expect((await ask(door, study, 'lambert', { Accept: accept })).status, accept).to.equal(200);
    const accept = encodeURIComponent('application/dicom');
    const single = await ask(door, `${pathOf(clinic.ct, 0)}?accept=${accept}`, 'lambert', { Accept: 'image/png' });
    expect(single.headers.get('Content-Type')).to.match(/^application\/dicom;/);
  });

  it('answers 406 to formats and transfer syntaxes that it cannot send', async () => {
    const refused = [
      'application/dicom',
      'image/jpeg',
      'multipart/related; type="image/jp2"',
      'multipart/related; type="application/dicom";q=0',
      'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.80',
      '";;=',
      'application/dicom+json',
    ];
    for (const accept of refused)
      expect((await ask(door, study, 'lambert', { Accept: accept })).status, accept).to.equal(406);
    const compressed = await ask(door, pathOf(clinic.mr, 0), 'lambert', {
      Accept: 'application/dicom; transfer-syntax=1.2.840.10008.1.2.1',
    });
    expect(compressed.status).to.equal(406);
    const stored = await ask(door, pathOf(clinic.mr, 0), 'lambert', {
      Accept: 'application/dicom; transfer-syntax=1.2.840.10008.1.2.4.70',
    });
    expect(stored.status).to.equal(200);
  });

  it('answers metadata as one JSON array of what was made on reception', async () => {
    const instances = (at: number): unknown[] =>
      clinic.ct.instances.slice(0, at).map(({ row }) => JSON.parse(row.metadata));
    expect(await askJson(door, `${study}/metadata`)).to.deep.equal(instances(3));
    expect(await askJson(door, `${study}/series/${clinic.ct.studyInstanceUID}.1/metadata`)).to.deep.equal(instances(2));
    expect(await askJson(door, `${pathOf(clinic.ct, 0)}/metadata`)).to.deep.equal(instances(1));
    const xml = await ask(door, `${study}/metadata`, 'lambert', {
      Accept: 'multipart/related; type="application/dicom+xml"',
    });
    expect(xml.status).to.equal(406);
  });

  it('compresses metadata for clients that accept it', async () => {
    const raw = async (encoding: string): Promise<{ headers: IncomingMessage['headers']; body: Buffer }> => {
      const sent = httpRequest(`${door.origin}/dicom-web${study}/metadata`, {
        headers: { Authorization: 'Bearer lambert', 'Accept-Encoding': encoding },
      }).end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      return { headers: answer.headers, body: Buffer.concat((await answer.toArray()) as Buffer[]) };
    };
    const [plain, zipped] = [await raw('identity'), await raw('br, gzip;q=0.8')];
    expect([plain.headers['content-encoding'], zipped.headers['content-encoding']]).to.deep.equal([undefined, 'gzip']);
    expect(zipped.headers.vary).to.include('Accept-Encoding');
    expect(gunzipSync(zipped.body).toString()).to.equal(plain.body.toString());
    expect(JSON.parse(plain.body.toString())).to.have.length(3);
  });

  it('answers HEAD with the headers alone, and leaves no file open (8.3.1)', async () => {
    const { images, counts: files } = watchImages(clinic.images);
    const watched = await serveDicomweb(clinic, images);
    const head = async (path: string, accept: string, token = 'lambert'): Promise<Response> =>
      await fetch(`${watched.origin}/dicom-web${path}`, {
        method: 'HEAD',
        headers: { Authorization: `Bearer ${token}`, Accept: accept },
      });
    const single = await head(pathOf(clinic.ct, 0), 'application/dicom');
    expect([single.status, single.headers.get('Content-Length'), await single.text()]).to.deep.equal([
      200,
      String(clinic.ct.instances[0]?.bytes.length),
      '',
    ]);
    for (const [path, accept] of [
      [study, '*/*'],
      [`${study}/metadata`, 'application/dicom+json'],
      [`${study}/series`, '*/*'],
      ['/studies', '*/*'],
    ] as const) {
      const response = await head(path, accept);
      expect([response.status, await response.text()], path).to.deep.equal([200, '']);
      expect(
        (await ask(watched, path, 'lambert', { Accept: accept })).headers.get('Content-Type')?.split(';')[0],
      ).to.equal(response.headers.get('Content-Type')?.split(';')[0]);
    }
    expect((await head(study, 'image/png')).status).to.equal(406);
    expect((await head(study, '*/*', 'stranger')).status).to.equal(404);
    await watched.close();
    for (let tries = 0; tries < 100 && files.closed < files.opened; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(files.closed).to.equal(files.opened);
  });

  it('answers what is hidden as what does not exist', async () => {
    const uid = clinic.hidden.studyInstanceUID;
    for (const suffix of ['', '/metadata', '/series/2.25.1', `/series/${uid}.1/instances/${uid}.1.1`]) {
      const hidden = await ask(door, `/studies/${uid}${suffix}`);
      const unknown = await ask(door, `/studies/2.25.4${suffix}`);
      expect(hidden.status, suffix).to.equal(404);
      expect(await hidden.text()).to.equal(await unknown.text());
    }
    expect((await ask(door, study, 'stranger')).status).to.equal(404);
    expect((await ask(door, `/studies/..%2F..%2Fetc`)).status).to.equal(404);
    expect((await ask(door, `${study}/series/2.25.4`)).status).to.equal(404);
    expect((await ask(door, study, 'weak')).status).to.equal(403);
    expect((await fetch(`${door.origin}/dicom-web${study}`)).status).to.equal(401);
    expect(await clinic.events(clinic.bruno, 'RAD-107')).to.deep.equal([]);
  });

  it('writes one event for a study into the list that the patient reads', async () => {
    await (await ask(door, study)).arrayBuffer();
    await askJson(door, `${study}/metadata`);
    const [metadata, images, ...others] = await clinic.events(clinic.anne, 'RAD-107');
    expect(others).to.deep.equal([]);
    expect([images?.type.code, metadata?.type.code]).to.deep.equal(['110104', '110103']);
    const entity = images?.entity?.find(
      ({ what }) => what?.identifier?.value === `urn:oid:${clinic.ct.studyInstanceUID}`,
    );
    const { started, ...told } = Object.fromEntries(
      (entity?.detail ?? []).map(({ type, valueString }) => [type, valueString]),
    );
    expect(told).to.deep.equal({ instances: '3', item: `ImagingStudy/${clinic.ct.resource.id}` });
    expect(started).to.equal('2026-02-14T00:30:00+01:00');
  });
});
