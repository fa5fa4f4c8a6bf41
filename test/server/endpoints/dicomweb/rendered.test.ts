import { expect } from 'chai';
import sharp from 'sharp';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { ask, serveDicomweb } from './door.ts';
import {
  addFile,
  addStudyOfFiles,
  element,
  encapsulated,
  freshUIDs,
  imageDataSet,
  item,
  part10,
  type Image,
  type StoredFile,
} from './files.ts';
import { partsOf } from './parts.ts';

const { explicitLittleEndian } = DICOM_UID;
const JPEG = '1.2.840.10008.1.2.4.50';
const RLE = '1.2.840.10008.1.2.5';
const PNG = 'image/png';

function words(...values: readonly number[]): Buffer {
  return Buffer.from(Uint16Array.from(values).buffer);
}

function bytes(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

/** A sequence of one item. */
function sequence(tag: number, ...elements: readonly Buffer[]): Buffer {
  return element(tag, 'SQ', item(Buffer.concat(elements)));
}

/** Pixels of 8 or 16 bits. */
function pixels(value: Buffer): Buffer {
  return element(0x7fe00010, 'OW', value);
}

const WINDOW = (center: string, width: string): readonly Buffer[] => [
  element(0x00281050, 'DS', center),
  element(0x00281051, 'DS', width),
];

describe('WADO-RS Retrieve Rendered (PS3.18 10.4.1.1.3)', function () {
  this.timeout(20_000);
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

  async function addImage(image: Image, ...elements: readonly Buffer[]): Promise<StoredFile> {
    return await addEncoded(explicitLittleEndian, image, ...elements);
  }

  async function addEncoded(
    transferSyntaxUID: string,
    image: Image,
    ...elements: readonly Buffer[]
  ): Promise<StoredFile> {
    const uids = freshUIDs();
    return await addFile(clinic, part10(imageDataSet(uids, image, ...elements), uids.sop, transferSyntaxUID), uids);
  }

  async function picture(path: string, accept = PNG): Promise<{ width: number; height: number; values: number[] }> {
    const response = await ask(door, path, 'lambert', { Accept: accept });
    const body = await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`${response.status} ${Buffer.from(body).toString()}`);
    const { data, info } = await sharp(body).raw().toBuffer({ resolveWithObject: true });
    const isGray = info.channels === 3 && (await sharp(body).metadata()).channels === 1;
    return { width: info.width, height: info.height, values: [...data].filter((_, at) => !isGray || at % 3 === 0) };
  }

  async function shown(file: StoredFile, query = ''): Promise<readonly number[]> {
    return (await picture(`${file.instance}/rendered${query}`)).values;
  }

  async function status(path: string, accept = PNG, token = 'lambert'): Promise<number> {
    const response = await ask(door, path, token, { Accept: accept });
    await response.arrayBuffer();
    return response.status;
  }

  describe('grayscale (PS3.3 C.11.1 and C.11.2)', () => {
    const four: Image = { rows: 1, columns: 4, bits: 16 };

    it('goes from the least to the greatest value where nothing else is said', async () => {
      expect(await shown(await addImage(four, pixels(words(100, 200, 300, 355))))).to.deep.equal([0, 100, 200, 255]);
    });

    it('goes by the window of the image, below it black and above it white', async () => {
      const file = await addImage(four, ...WINDOW('128', '256'), pixels(words(0, 51, 255, 4000)));
      expect(await shown(file)).to.deep.equal([0, 51, 255, 255]);
    });

    it('takes a window that is asked for, in measured values', async () => {
      const rescale = [element(0x00281052, 'DS', '-1000'), element(0x00281053, 'DS', '2')];
      const file = await addImage(four, ...WINDOW('1', '2'), ...rescale, pixels(words(500, 551, 602, 628)));
      expect(await shown(file, '?window=127.5,255,linear-exact')).to.deep.equal([0, 102, 204, 255]);
      expect(await shown(file, '?window=128,256,linear')).to.deep.equal([0, 102, 204, 255]);
      expect((await shown(file, '?window=102,60,sigmoid'))[1]).to.equal(128);
    });

    it('goes by a modality table, and by a VOI table', async () => {
      const modality = sequence(
        0x00283000,
        element(0x00283002, 'US', words(4, 10, 16)),
        element(0x00283006, 'OW', words(0, 1000, 2000, 4000)),
      );
      const voi = sequence(
        0x00283010,
        element(0x00283002, 'US', words(3, 1000, 8)),
        element(0x00283006, 'OW', words(7, 8, 9)),
      );
      expect(await shown(await addImage(four, modality, pixels(words(10, 11, 12, 99))))).to.deep.equal([
        0, 64, 128, 255,
      ]);
      expect(await shown(await addImage(four, voi, pixels(words(0, 1000, 1001, 2000))))).to.deep.equal([7, 7, 8, 9]);
    });

    it('reads signed values of some bits, wherever they lie in a word', async () => {
      const stored = [element(0x00280101, 'US', 12), element(0x00280102, 'US', 15), element(0x00280103, 'US', 1)];
      const file = await addImage(four, ...stored, pixels(words(0x800f, 0xffff, 0x0000, 0x7ff0)));
      expect(await shown(file)).to.deep.equal([0, 127, 128, 255]);
    });

    it('shows MONOCHROME1, and what is to be shown inversely, with its least value white', async () => {
      const values = pixels(words(0, 100, 200, 255));
      expect(await shown(await addImage({ ...four, photometric: 'MONOCHROME1' }, values))).to.deep.equal([
        255, 155, 55, 0,
      ]);
    });

    it('leaves padding out of the range', async () => {
      const padding = element(0x00280120, 'US', 60_000);
      expect(await shown(await addImage(four, padding, pixels(words(0, 100, 255, 60_000))))).to.deep.equal([
        0, 100, 255, 255,
      ]);
    });

    it('takes single bits, 32 bits and floats', async () => {
      expect(await shown(await addImage({ ...four, bits: 1 }, pixels(bytes(0b0110, 0))))).to.deep.equal([
        0, 255, 255, 0,
      ]);
      const large = Buffer.from(Uint32Array.of(0, 1_000_000_000, 2_000_000_000, 4_000_000_000).buffer);
      expect(await shown(await addImage({ ...four, bits: 32 }, pixels(large)))).to.deep.equal([0, 64, 128, 255]);
      const floats = Buffer.from(Float32Array.of(-1, Number.NaN, 0, 1).buffer);
      expect(await shown(await addImage({ ...four, bits: 32 }, element(0x7fe00008, 'OF', floats)))).to.deep.equal([
        0, 0, 128, 255,
      ]);
    });

    it('goes by the functional groups of the frame', async () => {
      const groups = (...windows: readonly string[]): Buffer =>
        element(
          0x52009230,
          'SQ',
          Buffer.concat(windows.map((width) => item(sequence(0x00289132, ...WINDOW('128', width))))),
        );
      const file = await addImage(
        { rows: 1, columns: 2, bits: 8, frames: '2' },
        groups('256', '2'),
        pixels(bytes(64, 192, 64, 192)),
      );
      expect((await picture(`${file.instance}/frames/1/rendered`)).values).to.deep.equal([64, 192]);
      expect((await picture(`${file.instance}/frames/2/rendered`)).values).to.deep.equal([0, 255]);
    });
  });

  describe('colour (PS3.3 C.7.6.3)', () => {
    const two: Image = { rows: 1, columns: 2, bits: 8, samples: 3, photometric: 'RGB' };
    const PLANAR = element(0x00280006, 'US', 1);
    const palette = (tag: number, descriptor: Buffer, red: Buffer, green: Buffer, blue: Buffer): readonly Buffer[] => [
      ...[0x00281101, 0x00281102, 0x00281103].map((of) => element(of, 'US', descriptor)),
      ...[red, green, blue].map((table, at) => element(tag + at, 'OW', table)),
    ];

    it('takes pixels side by side and plane by plane', async () => {
      expect(await shown(await addImage(two, pixels(bytes(1, 2, 3, 4, 5, 6))))).to.deep.equal([1, 2, 3, 4, 5, 6]);
      expect(await shown(await addImage(two, PLANAR, pixels(bytes(1, 4, 2, 5, 3, 6))))).to.deep.equal([
        1, 2, 3, 4, 5, 6,
      ]);
    });

    it('turns luminance and chrominance into red, green and blue', async () => {
      const full = { ...two, photometric: 'YBR_FULL' };
      expect(await shown(await addImage(full, pixels(bytes(76, 85, 255, 255, 128, 128))))).to.deep.equal([
        254, 0, 0, 255, 255, 255,
      ]);
      const halved = { ...two, photometric: 'YBR_FULL_422' };
      expect(await shown(await addImage(halved, pixels(bytes(10, 20, 128, 128))))).to.deep.equal([
        10, 10, 10, 20, 20, 20,
      ]);
    });

    it('takes palettes of 16 and 8 bits, and in segments', async () => {
      const indexed: Image = { rows: 1, columns: 4, bits: 8, photometric: 'PALETTE COLOR' };
      const indexes = pixels(bytes(4, 5, 6, 200));
      const of16 = palette(0x00281201, words(3, 4, 16), words(0, 0x1234, 0xffff), words(0, 0, 0), words(0xff00, 0, 0));
      expect(await shown(await addImage(indexed, ...of16, indexes))).to.deep.equal([
        0, 0, 255, 0x12, 0, 0, 255, 0, 0, 255, 0, 0,
      ]);
      const of8 = palette(0x00281201, words(3, 4, 8), bytes(1, 2, 3, 0), bytes(4, 5, 6, 0), bytes(7, 8, 9, 0));
      expect(await shown(await addImage(indexed, ...of8, indexes))).to.deep.equal([1, 4, 7, 2, 5, 8, 3, 6, 9, 3, 6, 9]);
      // One entry, then two that rise to the last.
      const ramp = words(0, 1, 0, 1, 2, 0xffff);
      const segmented = palette(0x00281221, words(3, 4, 16), ramp, ramp, ramp);
      const gray = [0, 0, 0, 128, 128, 128, 255, 255, 255, 255, 255, 255];
      expect(await shown(await addImage(indexed, ...segmented, indexes))).to.deep.equal(gray);
    });

    it('takes RLE, whose planes follow each other', async () => {
      const segments = [bytes(1, 1, 4, 128), bytes(1, 2, 5, 128), bytes(1, 3, 6, 128)];
      const header = Buffer.from(Uint32Array.of(3, 64, 68, 72, ...Array<number>(12).fill(0)).buffer);
      const file = await addEncoded(RLE, two, encapsulated([], [Buffer.concat([header, ...segments])]));
      expect(await shown(file)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    });
  });

  describe('parameters (PS3.18 8.3.5)', () => {
    let file: StoredFile;
    before(async () => {
      const ramp = Buffer.from(Array.from({ length: 64 }, (_, at) => (at % 8) * 36));
      file = await addImage({ rows: 8, columns: 8, bits: 8 }, ...WINDOW('128', '256'), pixels(ramp));
    });

    it('fit the picture into a viewport, whole or a part, mirrored where a side is negative', async () => {
      const small = await picture(`${file.instance}/rendered?viewport=4,100`);
      expect([small.width, small.height]).to.deep.equal([4, 4]);
      const part = await picture(`${file.instance}/rendered?viewport=2,2,6,0,2,2`);
      expect(part.values).to.deep.equal([216, 252, 216, 252]);
      const mirrored = await picture(`${file.instance}/rendered?viewport=2,2,6,0,-2,2`);
      expect(mirrored.values).to.deep.equal([252, 216, 252, 216]);
    });

    it('are refused where they are malformed, unknown to the server or double', async () => {
      for (const query of [
        'viewport=0,4',
        'viewport=4',
        'viewport=4,4,1',
        'viewport=9999999,4',
        'viewport=a,b',
        'window=1,2',
        'window=1,0,linear',
        'window=1,2,cubic',
        'quality=0',
        'quality=101',
        'quality=5&quality=6',
        'viewport=4,4,7,7,5,5',
      ])
        expect(await status(`${file.instance}/rendered?${query}`), query).to.equal(400);
      for (const query of ['annotation=patient', 'iccprofile=srgb'])
        expect(await status(`${file.instance}/rendered?${query}`), query).to.equal(501);
    });

    it('give JPEG in the quality that is asked for', async () => {
      const size = async (quality: number): Promise<number> => {
        const response = await ask(door, `${file.instance}/rendered?quality=${quality}`, 'lambert', {
          Accept: 'image/jpeg',
        });
        expect(response.headers.get('Content-Type')).to.equal('image/jpeg');
        return (await response.arrayBuffer()).byteLength;
      };
      expect(await size(20)).to.be.lessThan(await size(100));
    });
  });

  describe('what is named', () => {
    it('is sent alone as a browser asks for it, as parts where there are several', async () => {
      const file = await addImage({ rows: 1, columns: 1, bits: 8, frames: '2' }, pixels(bytes(1, 2)));
      const browser = 'image/avif,image/webp,image/apng,image/*,*/*;q=0.8';
      expect(await status(`${file.instance}/frames/1/rendered`, browser)).to.equal(200);
      expect(await status(`${file.instance}/frames/1,2/rendered`, 'image/jpeg')).to.equal(406);
      const response = await ask(door, `${file.instance}/frames/2,1/rendered`, 'lambert', {
        Accept: 'multipart/related; type="image/png"',
      });
      const parts = await partsOf(response, PNG);
      expect(parts.length).to.equal(2);
      expect(await status(`${file.instance}/frames/3/rendered`)).to.equal(404);
    });

    it('gives a part of each instance of a series and study that has pixels', async () => {
      const { study } = freshUIDs();
      const dataSet = (sop: string, ...elements: readonly Buffer[]): Buffer =>
        imageDataSet({ study, sop }, { rows: 1, columns: 1, bits: 8 }, ...elements);
      const place = (number: number, ...elements: readonly Buffer[]) => {
        const sop = `${study}.1.${number}`;
        return { bytes: part10(dataSet(sop, ...elements), sop, explicitLittleEndian), sop, number };
      };
      await addStudyOfFiles(clinic, study, [place(1, pixels(bytes(1, 0))), place(2), place(3, pixels(bytes(3, 0)))]);
      const accept = { Accept: 'multipart/related; type="image/jpeg"' };
      for (const path of [`/studies/${study}`, `/studies/${study}/series/${study}.1`]) {
        const response = await ask(door, `${path}/rendered`, 'lambert', accept);
        expect((await partsOf(response, 'image/jpeg')).length, path).to.equal(2);
      }
      expect(await status(`/studies/${study}/rendered`, 'image/jpeg')).to.equal(406);
    });

    it('has a thumbnail at every level, of the size that is asked for', async () => {
      const file = await addImage({ rows: 300, columns: 200, bits: 8, frames: '2' }, pixels(Buffer.alloc(120_000, 9)));
      for (const path of [file.study, file.series, file.instance, `${file.instance}/frames/2`]) {
        const { width, height } = await picture(`${path}/thumbnail`, 'image/*');
        expect([width, height], path).to.deep.equal([85, 128]);
      }
      const { height } = await picture(`${file.series}/thumbnail?viewport=64,64`);
      expect(height).to.equal(64);
    });
  });

  describe('bad pixels', () => {
    const large: Image = { rows: 65_535, columns: 65_535, bits: 16 };

    it('are refused by a status that names what is wrong, and others are rendered', async () => {
      const jpeg = await sharp(Buffer.alloc(64 * 64), { raw: { width: 64, height: 64, channels: 1 } })
        .toColourspace('b-w')
        .jpeg()
        .toBuffer();
      const of8: Image = { rows: 64, columns: 64, bits: 8 };
      const bad = await Promise.all([
        addImage({ rows: 2, columns: 2, bits: 8, photometric: 'RGB' }, pixels(bytes(1, 2, 3, 4))),
        addImage({ rows: 1, columns: 1, bits: 12 }, pixels(bytes(1, 2))),
        addImage({ rows: 1, columns: 1, bits: 8, samples: 4 }, pixels(bytes(1, 2, 3, 4))),
        addEncoded(JPEG, of8, encapsulated([], [jpeg.subarray(0, 30)])),
        addEncoded(JPEG, of8, encapsulated([], [Buffer.from('ffd8ffe000104a46', 'hex')])),
        addEncoded(JPEG, { ...of8, rows: 32 }, encapsulated([], [jpeg])),
        addEncoded(JPEG, { ...of8, samples: 3, photometric: 'YBR_FULL_422' }, encapsulated([], [jpeg])),
        addEncoded(JPEG, large, encapsulated([], [jpeg])),
        addEncoded(RLE, of8, encapsulated([], [Buffer.alloc(64, 0xff)])),
        addEncoded('1.2.840.10008.1.2.4.90', of8, encapsulated([], [jpeg])),
        addEncoded('1.2.840.10008.1.2.4.80', of8, encapsulated([], [jpeg])),
      ]);
      for (const [at, file] of bad.entries())
        expect(await status(`${file.instance}/rendered`), `bad ${at}`).to.equal(406);
      const good = await addEncoded(JPEG, of8, encapsulated([], [jpeg]));
      expect(await status(`${good.instance}/rendered`)).to.equal(200);
    });
  });

  describe('who may not see the study', () => {
    it('finds nothing, cached or not, and after a withdrawal nobody does', async () => {
      const file = await addImage({ rows: 1, columns: 1, bits: 8 }, pixels(bytes(1, 0)));
      const path = `${file.instance}/rendered`;
      expect(await status(path)).to.equal(200);
      for (const at of [path, `${file.study}/thumbnail`]) expect(await status(at, PNG, 'stranger'), at).to.equal(404);
      expect(await status(path, PNG, 'weak')).to.equal(403);
      await clinic.withdraw();
      for (const at of [path, `${file.study}/thumbnail`, `${file.study}/rendered`])
        expect(await status(at, at === `${file.study}/rendered` ? 'multipart/related' : PNG), at).to.equal(404);
    });
  });
});
