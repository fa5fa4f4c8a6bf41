import { request as httpRequest, type ClientRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import type { DicomJson } from '../../../../profiles/dicom/json/json.ts';
import type { InstanceRow } from '../../../../server/ports/commit-plan.ts';
import { systemGrant } from '../../../../server/access/grant.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { BASE_URL, MAX_INSTANCE_BYTES, serveDicomweb } from './door.ts';
import { element, freshUIDs, imageDataSet, part10 } from './files.ts';

const { explicitLittleEndian, deflatedExplicitLittleEndian } = DICOM_UID;
const SOP_CLASS = `${DICOM_UID.storageClassPrefix}7.2`;
const BOUNDARY = 'a-boundary';
const TYPE = `multipart/related; type="application/dicom"; boundary=${BOUNDARY}`;

type File = {
  readonly uids: { readonly study: string; readonly sop: string };
  readonly dataSet: Buffer;
  readonly bytes: Buffer;
};

function aFile(pixels: Buffer = Buffer.alloc(64, 7), uids = freshUIDs()): File {
  const dataSet = imageDataSet(uids, { rows: 8, columns: 8, bits: 8 }, element(0x7fe00010, 'OB', pixels));
  return { uids, dataSet, bytes: part10(dataSet, uids.sop, explicitLittleEndian) };
}

function multipart(...contents: readonly (Buffer | string)[]): Buffer {
  const parts = contents.map((content) =>
    Buffer.concat([
      Buffer.from(`--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`),
      Buffer.from(content as Buffer),
      Buffer.from('\r\n'),
    ]),
  );
  return Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

function textOf(json: DicomJson | undefined, tag: string): unknown {
  return json?.[tag]?.Value?.[0];
}

function itemsOf(json: DicomJson, tag: string): readonly DicomJson[] {
  return (json[tag]?.Value ?? []) as readonly DicomJson[];
}

describe('STOW-RS Store Instances (PS3.18 10.5)', () => {
  let clinic: Clinic;
  let door: ServedRouter;

  before(async () => {
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  async function post(
    body: Buffer,
    {
      path = '/studies',
      token = 'clinic',
      type = TYPE,
      headers = {},
    }: { path?: string; token?: string; type?: string; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const sent = {
      Authorization: `Bearer ${token}`,
      'Content-Type': type,
      Accept: 'application/dicom+json',
      ...headers,
    };
    return await fetch(`${door.origin}/dicom-web${path}`, {
      method: 'POST',
      headers: sent,
      body: Uint8Array.from(body),
    });
  }

  async function stored(study: string): Promise<readonly InstanceRow[]> {
    const { instances } = await clinic.stores.records.peek(systemGrant('maintain-study', { study }, 1), {
      kind: 'instances',
      studyInstanceUID: study,
      offset: 0,
      limit: 100,
    });
    return instances;
  }

  async function bytesOf(row: InstanceRow | undefined): Promise<Buffer> {
    return await buffer(await clinic.images.open(row?.blob.name ?? ''));
  }

  async function blobs(): Promise<number> {
    let count = 0;
    for await (const name of clinic.images.names(0)) count += name.length > 0 ? 1 : 0;
    return count;
  }

  it('stores each part, its data set as it was sent, and says where it is retrieved', async () => {
    const first = aFile();
    const second = aFile(Buffer.alloc(300_000, 9), { study: first.uids.study, sop: `${first.uids.sop}.2` });
    const polyglot = Buffer.from(first.bytes);
    polyglot.write('MZ\x90', 0, 'latin1');
    const response = await post(multipart(polyglot, second.bytes));
    expect([response.status, response.headers.get('Content-Type')]).to.deep.equal([200, 'application/dicom+json']);
    const study = `${BASE_URL}/studies/${first.uids.study}`;
    expect(await response.json()).to.deep.equal({
      '00081190': { vr: 'UR', Value: [study] },
      '00081199': {
        vr: 'SQ',
        Value: [first, second].map(({ uids }) => ({
          '00081150': { vr: 'UI', Value: [SOP_CLASS] },
          '00081155': { vr: 'UI', Value: [uids.sop] },
          '00081190': { vr: 'UR', Value: [`${study}/series/${uids.study}.1/instances/${uids.sop}`] },
        })),
      },
    });
    const rows = await stored(first.uids.study);
    expect(rows.map(({ sopInstanceUID, source }) => [sopInstanceUID, source])).to.deep.equal([
      [first.uids.sop, 'Organization/clinic'],
      [second.uids.sop, 'Organization/clinic'],
    ]);
    for (const [at, { dataSet }] of [first, second].entries()) {
      const bytes = await bytesOf(rows[at]);
      expect(bytes.subarray(rows[at]?.dataSetOffset).equals(dataSet)).to.equal(true);
      expect(bytes.subarray(0, 128).equals(Buffer.alloc(128))).to.equal(true);
    }
    expect(JSON.parse(rows[0]?.metadata ?? '{}')).to.have.nested.property(
      '7FE00010.BulkDataURI',
      `instances/${first.uids.sop}/bulkdata/7FE00010`,
    );
  });

  it('takes the same instance again as a success, and keeps it once', async () => {
    const file = aFile();
    await post(multipart(file.bytes));
    const before = await blobs();
    expect((await post(multipart(file.bytes, file.bytes))).status).to.equal(200);
    expect(await stored(file.uids.study)).to.have.length(1);
    expect(await blobs()).to.equal(before);
  });

  it('answers 202 when some are stored, 409 when none is, each failure with its reason', async () => {
    const file = aFile();
    const seriesless = Buffer.from(
      file.dataSet
        .toString('latin1')
        .replace(`${file.uids.study}.1`, ' '.repeat(file.uids.study.length + 2))
        .replaceAll(file.uids.sop, `${file.uids.sop.slice(0, -1)}8`),
      'latin1',
    );
    const other = part10(seriesless, `${file.uids.sop.slice(0, -1)}8`, explicitLittleEndian);
    const mismatch = part10(file.dataSet, '2.25.9.9', explicitLittleEndian);
    const verification = part10(file.dataSet, file.uids.sop, explicitLittleEndian, DICOM_UID.verification);
    const response = await post(multipart(file.bytes, 'not DICOM', other, mismatch, verification));
    expect(response.status).to.equal(202);
    const json = (await response.json()) as DicomJson;
    expect(itemsOf(json, '00081199').map((item) => textOf(item, '00081155'))).to.deep.equal([file.uids.sop]);
    expect(itemsOf(json, '00081198').map((item) => [textOf(item, '00081155'), textOf(item, '00081197')])).to.deep.equal(
      [
        [`${file.uids.sop.slice(0, -1)}8`, 0xa900],
        ['2.25.9.9', 0xa900],
        [file.uids.sop, 0x0122],
      ],
    );
    expect(itemsOf(json, '0008119A').map((item) => textOf(item, '00081197'))).to.deep.equal([0xc000]);
    const none = await post(multipart('not DICOM'));
    expect(none.status).to.equal(409);
    expect(Object.keys((await none.json()) as DicomJson)).to.deep.equal(['0008119A']);
  });

  it('refuses what is not of the study in the path', async () => {
    const [right, wrong] = [aFile(), aFile()];
    const response = await post(multipart(wrong.bytes, right.bytes), { path: `/studies/${right.uids.study}` });
    expect(response.status).to.equal(202);
    const json = (await response.json()) as DicomJson;
    expect(textOf(itemsOf(json, '00081198')[0], '00081155')).to.equal(wrong.uids.sop);
    expect(textOf(itemsOf(json, '00081198')[0], '00081197')).to.equal(0xa900);
    expect([await stored(wrong.uids.study), (await stored(right.uids.study)).length]).to.deep.equal([[], 1]);
    expect((await post(multipart(right.bytes), { path: '/studies/..%2Fx' })).status).to.equal(400);
  });

  it('takes instances from establishments only, whose scopes say so', async () => {
    const file = aFile();
    for (const token of ['lambert', 'anne', 'clinic-reader', 'weak'])
      expect((await post(multipart(file.bytes), { token })).status, token).to.equal(403);
    const nobody = await fetch(`${door.origin}/dicom-web/studies`, {
      method: 'POST',
      headers: { 'Content-Type': TYPE },
      body: Uint8Array.from(multipart(file.bytes)),
    });
    expect(nobody.status).to.equal(401);
    expect(await stored(file.uids.study)).to.deep.equal([]);
  });

  it('writes one event a study at its beginning and one with the counts, before it answers', async () => {
    const file = aFile();
    const more = [2, 3].map((at) => aFile(undefined, { study: file.uids.study, sop: `${file.uids.sop}.${at}` }));
    expect((await post(multipart(file.bytes, ...more.map(({ bytes }) => bytes), file.bytes))).status).to.equal(200);
    const [row] = await stored(file.uids.study);
    if (row === undefined) throw new Error('Nothing is stored');
    const events = (await clinic.events({ ...clinic.anne, person: row.person }, 'RAD-108')).filter((event) =>
      JSON.stringify(event).includes(`urn:oid:${file.uids.study}"`),
    );
    expect(events.map(({ type }) => type.code)).to.deep.equal(['110104', '110102']);
    const entity = events[0]?.entity?.find(({ what }) => what?.identifier?.value === `urn:oid:${file.uids.study}`);
    expect(entity?.detail).to.deep.equal([
      { type: 'stored', valueString: '3' },
      { type: 'already', valueString: '1' },
    ]);
    expect(events[0]?.agent.some(({ who }) => who?.reference === 'Organization/clinic')).to.equal(true);
  });

  it('answers 415 and 406 to what it does not speak', async () => {
    const body = multipart(aFile().bytes);
    for (const type of [
      'application/dicom',
      'multipart/form-data; boundary=a-boundary',
      `multipart/related; type="application/dicom+json"; boundary=${BOUNDARY}`,
      'text/plain',
      '";;"',
    ]) {
      expect((await post(body, { type })).status, type).to.equal(415);
    }
    expect((await post(body, { headers: { 'Content-Encoding': 'gzip' } })).status).to.equal(415);
    expect((await post(body, { headers: { Accept: 'application/dicom+xml' } })).status).to.equal(406);
    for (const boundary of ['', `; boundary="${'b'.repeat(257)}"`, '; boundary=""', '; boundary=another']) {
      expect((await post(body, { type: `multipart/related${boundary}` })).status, boundary).to.equal(400);
    }
    const file = aFile();
    expect(
      (await post(multipart(file.bytes), { type: `Multipart/Related;Boundary="${BOUNDARY}";Type=application/dicom` }))
        .status,
    ).to.equal(200);
  });

  it('takes boundaries as senders write them, longer ones than RFC 2046 allows too', async () => {
    const boundaries = ['b'.repeat(71), 'b'.repeat(73), 'b'.repeat(256), 'a,b', "a'()+_,-./:=?z", 'a b'];
    const types = (boundary: string): readonly string[] => [
      `multipart/related; type="application/dicom"; boundary=${boundary}`,
      `Multipart/Related;BOUNDARY = "${boundary}" ; Type = Application/DICOM;`,
      `multipart/related; charset; start="<a;b@c>";; boundary="${boundary}"; type="application/dicom; x=1.2.3"`,
    ];
    for (const boundary of boundaries) {
      for (const type of types(boundary)) {
        const body = Buffer.from(multipart(aFile().bytes).toString('latin1').replaceAll(BOUNDARY, boundary), 'latin1');
        const response = await post(body, { type });
        expect(response.status, `${type}: ${await response.text()}`).to.equal(200);
      }
    }
  });

  it('refuses a body that is cut short, keeps what came whole and nothing of the rest', async () => {
    const [whole, half] = [aFile(), aFile(Buffer.alloc(500_000, 3))];
    const before = await blobs();
    const body = multipart(whole.bytes, half.bytes);
    for (const end of [body.length - 200_000, body.length - BOUNDARY.length - 7]) {
      expect((await post(body.subarray(0, end))).status).to.equal(400);
    }
    expect([(await stored(whole.uids.study)).length, (await stored(half.uids.study)).length]).to.deep.equal([1, 0]);
    expect(await blobs()).to.equal(before + 1);
    const broken = [
      '',
      `--${BOUNDARY}--\r\n`,
      `--${BOUNDARY}\r\n`,
      `--${BOUNDARY}\r\nContent-Type: application/dicom\r\n--${BOUNDARY}--\r\n`,
      'preamble only',
    ];
    for (const text of broken) expect((await post(Buffer.from(text))).status, text).to.equal(400);
  });

  it('leaves nothing when the sender goes away in the middle', async () => {
    const file = aFile(Buffer.alloc(2_000_000, 3));
    const before = await blobs();
    const request = begin();
    request.write(multipart(file.bytes).subarray(0, 1_000_000));
    await delay(100);
    request.destroy();
    for (let tries = 0; tries < 50 && (await blobs()) !== before; tries += 1) await delay(20);
    expect(await blobs()).to.equal(before);
    expect(await stored(file.uids.study)).to.deep.equal([]);
  });

  it('takes a boundary inside pixels for pixels, unless a line begins with it', async () => {
    const inside = aFile(Buffer.from(`..--${BOUNDARY}--\n--${BOUNDARY}\r--${BOUNDARY}..${' '.repeat(64)}`));
    expect((await post(multipart(inside.bytes))).status).to.equal(200);
    const [row] = await stored(inside.uids.study);
    expect((await bytesOf(row)).subarray(row?.dataSetOffset).equals(inside.dataSet)).to.equal(true);
    const cut = aFile(Buffer.from(`..\r\n--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n..${' '.repeat(64)}`));
    // The header of an image may be whole before its pixels are cut; then it is the hash that tells, at the sender's.
    const response = await post(multipart(cut.bytes));
    expect(itemsOf((await response.json()) as DicomJson, '0008119A')).to.have.length(1);
  });

  it('bounds a deflate bomb and an instance that is too long, and goes on with the next part', async () => {
    const [bomb, long, next] = [freshUIDs(), aFile(Buffer.alloc(MAX_INSTANCE_BYTES, 1)), aFile()];
    const huge = Buffer.concat([
      element(0x00080005, 'UT', Buffer.alloc(64 * 1024 * 1024)),
      imageDataSet(bomb, { rows: 1, columns: 1, bits: 8 }),
    ]);
    const deflated = part10(deflateRawSync(huge), bomb.sop, deflatedExplicitLittleEndian);
    expect(deflated.length).to.be.lessThan(MAX_INSTANCE_BYTES);
    const before = await blobs();
    const memory = process.memoryUsage().rss;
    const response = await post(multipart(deflated, long.bytes, next.bytes));
    expect(process.memoryUsage().rss - memory).to.be.lessThan(200 * 1024 * 1024);
    expect(response.status).to.equal(202);
    const json = (await response.json()) as DicomJson;
    expect(itemsOf(json, '00081198').map((item) => [textOf(item, '00081155'), textOf(item, '00081197')])).to.deep.equal(
      [
        [bomb.sop, 0xa700],
        [long.uids.sop, 0xa700],
      ],
    );
    expect(itemsOf(json, '00081199')).to.have.length(1);
    expect(await blobs()).to.equal(before + 1);
  });

  it('bounds the number of parts', async () => {
    const response = await post(multipart(...Array<string>(10_001).fill('')));
    expect(response.status).to.equal(413);
    // The sender that went away in the middle is the only thing that there was to log.
    expect(door.errors.filter((error) => (error as { code?: string }).code !== 'HPE_INVALID_EOF_STATE')).to.deep.equal(
      [],
    );
  });

  it('reads no faster than the disk takes', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const images = {
      open: clinic.images.open.bind(clinic.images),
      reader: clinic.images.reader.bind(clinic.images),
      names: clinic.images.names.bind(clinic.images),
      remove: clinic.images.remove.bind(clinic.images),
      close: clinic.images.close.bind(clinic.images),
      create: async () => {
        const writer = await clinic.images.create();
        const write = writer.write.bind(writer);
        return {
          name: writer.name,
          write: async (chunk: Uint8Array) => (await gate, await write(chunk)),
          finish: writer.finish.bind(writer),
          abort: writer.abort.bind(writer),
        };
      },
    };
    const slow = await serveDicomweb(clinic, images);
    const request = begin(slow);
    const dataSet = Buffer.alloc(200 * 1024 * 1024);
    dataSet.write('e07f10004f570000', 'hex');
    dataSet.writeUInt32LE(dataSet.length - 12, 8);
    const body = multipart(part10(dataSet, '2.25.1', explicitLittleEndian));
    let taken = 0;
    for (let at = 0; at < body.length; at += 1024 * 1024)
      request.write(body.subarray(at, at + 1024 * 1024), () => (taken += 1));
    await delay(500);
    request.destroy();
    open();
    await slow.close();
    expect(taken).to.be.lessThan(100);
  });

  function begin(at: ServedRouter = door): ClientRequest {
    const request = httpRequest(`${at.origin}/dicom-web/studies`, {
      method: 'POST',
      headers: { Authorization: 'Bearer clinic', 'Content-Type': TYPE },
    });
    request.on('error', () => undefined);
    request.on('response', (response) => response.resume());
    return request;
  }
});
