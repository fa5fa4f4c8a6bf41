import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, BASE_URL, serveDicomweb } from './door.ts';
import {
  addFile,
  element,
  encapsulated,
  freshUIDs,
  imageDataSet,
  item,
  part10,
  type Image,
  type StoredFile,
} from './files.ts';
import { partsOf, type Part } from './parts.ts';
import { watchImages } from './watched-images.ts';

const OCTETS = 'application/octet-stream';
const { explicitLittleEndian, explicitBigEndian, deflatedExplicitLittleEndian } = DICOM_UID;
const JPEG = '1.2.840.10008.1.2.4.50';
const RLE = '1.2.840.10008.1.2.5';

/** Bytes that count up, so that each place is told from its neighbours. */
function counting(length: number, first = 0): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => (first + at) % 251));
}

function image(text: string): Buffer {
  return Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.from(text)]);
}

describe('WADO-RS Retrieve Frames (PS3.18 10.4.1.1.6)', () => {
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

  async function addImage(transferSyntaxUID: string, facts: Image, ...pixels: readonly Buffer[]): Promise<StoredFile> {
    const uids = freshUIDs();
    const dataSet = imageDataSet(uids, facts, ...pixels);
    const body = transferSyntaxUID === deflatedExplicitLittleEndian ? deflateRawSync(dataSet) : dataSet;
    return await addFile(clinic, part10(body, uids.sop, transferSyntaxUID), uids);
  }

  async function frames(file: StoredFile, list: string, accept = '*/*'): Promise<readonly Part[]> {
    const response = await ask(door, `${file.instance}/frames/${list}`, 'lambert', { Accept: accept });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    return await partsOf(response, OCTETS);
  }

  async function contents(file: StoredFile, list: string): Promise<readonly Buffer[]> {
    return (await frames(file, list)).map(({ content }) => content);
  }

  async function status(file: StoredFile, list: string, accept = '*/*', token = 'lambert'): Promise<number> {
    const response = await ask(door, `${file.instance}/frames/${list}`, token, { Accept: accept });
    await response.arrayBuffer();
    return response.status;
  }

  it('cuts native frames out, in the order asked for, each with its transfer syntax and location', async () => {
    const pixels = counting(3 * 6);
    const file = await addImage(
      explicitLittleEndian,
      { rows: 2, columns: 3, bits: 8, frames: '3' },
      element(0x7fe00010, 'OB', pixels),
    );
    expect(await frames(file, '3,1')).to.deep.equal(
      [3, 1].map((number) => ({
        type: `${OCTETS}; transfer-syntax=${explicitLittleEndian}`,
        location: `${BASE_URL}${file.instance}/frames/${number}`,
        content: pixels.subarray((number - 1) * 6, number * 6),
      })),
    );
    expect(await contents(file, '1%2C2')).to.have.length(2);
  });

  it('measures colour, words, floats, halved chrominance and single bits', async () => {
    const cases: readonly (readonly [Image, string, number, number])[] = [
      [{ rows: 2, columns: 2, bits: 8, frames: '2', samples: 3, photometric: 'RGB' }, 'OB', 0x7fe00010, 12],
      [{ rows: 2, columns: 2, bits: 16, frames: '2' }, 'OW', 0x7fe00010, 8],
      [{ rows: 1, columns: 3, bits: 32, frames: '2' }, 'OF', 0x7fe00008, 12],
      [{ rows: 1, columns: 1, bits: 64, frames: '2' }, 'OD', 0x7fe00009, 8],
      [{ rows: 2, columns: 2, bits: 8, frames: '2', samples: 3, photometric: 'YBR_FULL_422' }, 'OB', 0x7fe00010, 8],
      [{ rows: 4, columns: 4, bits: 1, frames: '2' }, 'OB', 0x7fe00010, 2],
    ];
    for (const [facts, vr, tag, size] of cases) {
      const pixels = counting(size * 2, 7);
      const file = await addImage(explicitLittleEndian, facts, element(tag, vr, pixels));
      expect(await contents(file, '1,2'), `${vr} ${facts.bits} ${facts.photometric}`).to.deep.equal([
        pixels.subarray(0, size),
        pixels.subarray(size),
      ]);
    }
  });

  it('moves frames of single bits to the beginning of a byte', async () => {
    // Three frames of five pixels: 10110 01101 11000, the first pixel in the lowest bit.
    const file = await addImage(
      explicitLittleEndian,
      { rows: 1, columns: 5, bits: 1, frames: '3' },
      element(0x7fe00010, 'OB', Buffer.from([0b110_01101, 0b0_00011_10])),
    );
    expect(await contents(file, '1,2,3')).to.deep.equal(
      [[0b01101], [0b10110], [0b00011]].map((bytes) => Buffer.from(bytes)),
    );
  });

  it('sends words of big endian objects little endian, odd frames too', async () => {
    const facts = { rows: 1, columns: 3, bits: 8, frames: '2', bigEndian: true } as const;
    const file = await addImage(
      explicitBigEndian,
      facts,
      element(0x7fe00010, 'OW', Buffer.from([2, 1, 4, 3, 6, 5]), { bigEndian: true }),
    );
    expect(await contents(file, '1,2')).to.deep.equal([Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])]);
    const [part] = await frames(file, '1');
    expect(part?.type).to.equal(`${OCTETS}; transfer-syntax=${explicitLittleEndian}`);
  });

  it('inflates no more of a deflated object than the frame needs', async () => {
    const pixels = counting(3 * 100_000);
    const file = await addImage(
      deflatedExplicitLittleEndian,
      { rows: 100, columns: 1_000, bits: 8, frames: '3' },
      element(0x7fe00010, 'OB', pixels),
    );
    expect(await contents(file, '2')).to.deep.equal([pixels.subarray(100_000, 200_000)]);
  });

  it('finds compressed frames by the basic and the extended offset table, fragments joined', async () => {
    const fragments = [counting(10), counting(6, 50), counting(8, 100)];
    const joined = [Buffer.concat([fragments[0] ?? '', fragments[1] ?? ''] as Buffer[]), fragments[2]];
    const basic = await addImage(RLE, { rows: 2, columns: 2, bits: 8, frames: '2' }, encapsulated([0, 32], fragments));
    expect(await contents(basic, '1,2')).to.deep.equal(joined);
    const table = Buffer.alloc(16);
    table.writeBigUInt64LE(32n, 8);
    const extended = await addImage(
      RLE,
      { rows: 2, columns: 2, bits: 8, frames: '2' },
      element(0x7fe00001, 'OV', table),
      encapsulated([], fragments),
    );
    expect(await contents(extended, '2,1')).to.deep.equal(joined.toReversed());
    expect((await frames(basic, '1'))[0]?.type).to.equal(`${OCTETS}; transfer-syntax=${RLE}`);
  });

  it('finds compressed frames without a table: one frame, one fragment each, or images that begin', async () => {
    const fragments = [image('one '), Buffer.from('rest'), image('two ')];
    const whole = await addImage(JPEG, { rows: 2, columns: 2, bits: 8 }, encapsulated([], fragments));
    expect(await contents(whole, '1')).to.deep.equal([Buffer.concat(fragments)]);
    const each = await addImage(RLE, { rows: 2, columns: 2, bits: 8, frames: '3' }, encapsulated([], fragments));
    expect(await contents(each, '1,2,3')).to.deep.equal(fragments);
    const begun = await addImage(JPEG, { rows: 2, columns: 2, bits: 8, frames: '2' }, encapsulated([], fragments));
    expect(await contents(begun, '1,2')).to.deep.equal([Buffer.concat(fragments.slice(0, 2)), fragments[2]]);
  });

  it('answers 406 when frames cannot be told apart, and says why', async () => {
    const fragments = [Buffer.from('aaaa'), Buffer.from('bbbb'), Buffer.from('cccc')];
    const apart = await addImage(JPEG, { rows: 2, columns: 2, bits: 8, frames: '2' }, encapsulated([], fragments));
    const response = await ask(door, `${apart.instance}/frames/1`);
    expect(response.status).to.equal(406);
    expect(await response.text()).to.include('no offset table');
    const short = await addImage(
      explicitLittleEndian,
      { rows: 200, columns: 200, bits: 16 },
      element(0x7fe00010, 'OW', counting(64)),
    );
    expect(await status(short, '1')).to.equal(406);
    const unsized = await addImage(
      explicitLittleEndian,
      { rows: 0, columns: 2, bits: 8 },
      element(0x7fe00010, 'OB', counting(4)),
    );
    expect(await status(unsized, '1')).to.equal(406);
    const broken = await addImage(
      JPEG,
      { rows: 2, columns: 2, bits: 8, frames: '2' },
      element(0x7fe00010, 'OB', Buffer.concat([item(Buffer.alloc(0)), Buffer.from('not an item!')]), {
        length: 0xffffffff,
      }),
    );
    expect(await status(broken, '1')).to.equal(400);
  });

  it('takes Accept as viewers write it, in the header and in the query', async () => {
    const file = await addImage(
      JPEG,
      { rows: 2, columns: 2, bits: 8, frames: '2' },
      encapsulated([], [image('1'), image('2')]),
    );
    const accepted = [
      `multipart/related; type="${OCTETS}"; transfer-syntax="*"`,
      `multipart/related; type=${OCTETS}; transfer-syntax=*`,
      `multipart/related;type=${OCTETS}`,
      '*/*',
      'multipart/related',
      `multipart/related; type="image/jp2", multipart/related; type="${OCTETS}"`,
      `Multipart/Related; Type="Application/Octet-Stream"; Transfer-Syntax=${JPEG}`,
      `image/png;q=0.1, multipart/related; type="*/*";q=0.01`,
    ];
    for (const accept of accepted) expect((await frames(file, '1,2', accept)).length, accept).to.equal(2);
    const jpeg = await ask(door, `${file.instance}/frames/1`, 'lambert', {
      Accept: 'multipart/related; type="image/jpeg"',
    });
    expect((await partsOf(jpeg, 'image/jpeg'))[0]?.type).to.equal(`image/jpeg; transfer-syntax=${JPEG}`);
    const single = await ask(door, `${file.instance}/frames/2?accept=${encodeURIComponent(OCTETS)}`, 'lambert', {
      Accept: 'text/html',
    });
    expect(single.headers.get('Content-Type')).to.equal(`${OCTETS}; transfer-syntax=${JPEG}`);
    expect(single.headers.get('Content-Length')).to.equal('5');
    expect(single.headers.get('Content-Disposition')).to.equal('attachment');
    expect(single.headers.get('Content-Location')).to.equal(`${BASE_URL}${file.instance}/frames/2`);
    expect(Buffer.from(await single.arrayBuffer())).to.deep.equal(image('2'));
    const refused = [
      ['1', 'image/png'],
      ['1', `multipart/related; type="${OCTETS}"; transfer-syntax=${explicitLittleEndian}`],
      ['1,2', OCTETS],
      ['1', 'multipart/related; type="application/dicom"'],
      ['1', 'application/dicom'],
      ['1', '";;="'],
      ['1', 'multipart/related; type="image/jp2"'],
    ] as const;
    for (const [list, accept] of refused) expect(await status(file, list, accept), accept).to.equal(406);
    expect(await status(file, '1', 'x'.repeat(5_000))).to.equal(413);
  });

  it('answers 404 to a frame that is not there, 400 to what is no list', async () => {
    const file = await addImage(
      explicitLittleEndian,
      { rows: 1, columns: 2, bits: 8 },
      element(0x7fe00010, 'OB', counting(2)),
    );
    for (const list of ['2', '1,2', '999999999']) expect(await status(file, list), list).to.equal(404);
    for (const list of ['0', '-1', '1-2', '1,', 'a', '1,1', '1e3', '0x1', '1.0', '9999999999', '%00'])
      expect(await status(file, list), list).to.equal(400);
    const long = Array.from({ length: 2_000 }, (_, at) => at + 1).join(',');
    expect(await status(file, long)).to.equal(413);
    const hostile = Array.from({ length: 10_000 }, (_, at) => at + 1).join(',');
    expect(await status(file, hostile)).to.equal(431);
    expect(await status({ ...file, instance: `${file.series}/instances/..%2F..%2Fetc` }, '1')).to.equal(404);
    const report = await addFile(
      clinic,
      part10(
        imageDataSet({ study: '2.25.1', sop: '2.25.2' }, { rows: 1, columns: 1, bits: 8 }),
        '2.25.2',
        explicitLittleEndian,
      ),
    );
    expect(await status(report, '1')).to.equal(404);
    expect(door.errors).to.deep.equal([]);
  });

  it('answers hidden frames as unknown ones, and tells the patient of those that were opened', async () => {
    const file = await addImage(
      explicitLittleEndian,
      { rows: 1, columns: 2, bits: 8 },
      element(0x7fe00010, 'OB', counting(2)),
    );
    const hidden = await ask(door, `${file.instance}/frames/1`, 'stranger');
    const unknown = await ask(door, `${file.instance.replace(file.uids.sop, '2.25.4')}/frames/1`);
    expect([hidden.status, await hidden.text()]).to.deep.equal([404, await unknown.text()]);
    expect(await status(file, '1', '*/*', 'weak')).to.equal(403);
    expect((await fetch(`${door.origin}/dicom-web${file.instance}/frames/1`)).status).to.equal(401);
    await frames(file, '1');
    const [event] = await clinic.events(clinic.anne, 'RAD-107');
    expect(
      event?.entity?.find(({ what }) => what?.identifier?.value === `urn:oid:${file.uids.study}`)?.detail,
    ).to.deep.include({ type: 'frames', valueString: '1' });
  });

  it('leaves no file open behind viewers that go away', async () => {
    const { images, counts: files } = watchImages(clinic.images);
    const watched = await serveDicomweb(clinic, images);
    const size = 3_000_000;
    const plain = await addImage(
      explicitLittleEndian,
      { rows: 1_000, columns: 3_000, bits: 8 },
      element(0x7fe00010, 'OB', Buffer.alloc(size)),
    );
    const deflated = await addImage(
      deflatedExplicitLittleEndian,
      { rows: 1_000, columns: 3_000, bits: 8 },
      element(0x7fe00010, 'OB', Buffer.from(counting(size))),
    );
    for (const file of [plain, deflated]) {
      for (const accept of ['*/*', OCTETS]) {
        const away = new AbortController();
        const response = await fetch(`${watched.origin}/dicom-web${file.instance}/frames/1`, {
          headers: { Authorization: 'Bearer lambert', Accept: accept },
          signal: away.signal,
        });
        expect(response.status).to.equal(200);
        away.abort();
      }
    }
    for (let tries = 0; tries < 100 && files.closed < files.opened; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect([files.opened > 4, files.closed]).to.deep.equal([true, files.opened]);
    await watched.close();
  });

  it('stops between frames when the exam is withdrawn, so that no answer passes for whole', async () => {
    const size = 500_000;
    const file = await addImage(
      explicitLittleEndian,
      { rows: 500, columns: 1_000, bits: 8, frames: '60' },
      element(0x7fe00010, 'OB', Buffer.alloc(60 * size)),
    );
    const response = await ask(
      door,
      `${file.instance}/frames/${Array.from({ length: 60 }, (_, at) => at + 1).join(',')}`,
    );
    expect(response.status).to.equal(200);
    await clinic.withdraw();
    // The clock of the clinic stands nearly still; the pages of a study are decided again by number.
    clinic.guard.clock.now = () => Date.now() * 2;
    const error = await response.arrayBuffer().then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(error).to.be.instanceOf(Error);
  });
});
