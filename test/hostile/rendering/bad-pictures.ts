/** Images that no honest device makes, and what is answered when a picture of each is asked for. */
import { deflateRawSync } from 'node:zlib';
import { DICOM_UID } from '../../../profiles/codes.ts';
import {
  element,
  encapsulated,
  imageDataSet,
  item,
  part10,
  type Image,
} from '../../server/endpoints/dicomweb/files.ts';
import { COMPRESSION } from '../../support/examples/compressed-frames.ts';
import { disguisedJpeg, disguisedJpeg2000, goodFrames, resizedJpeg, resizedJpeg2000, SIDE } from './codestreams.ts';

/** An image: `elements` stand between 0028,0100 and the end of its data set. */
export type BadImage = {
  readonly image: Image;
  readonly transferSyntaxUID?: string;
  readonly elements: readonly Buffer[];
  /** 406 when nothing else is said: there is no picture that could be accepted (PS3.18 8.7.4). */
  readonly status?: 200 | 406;
};

const JPEG = '1.2.840.10008.1.2.4.50';
const RLE = COMPRESSION.rle;
const OF_8_BITS: Image = { rows: SIDE, columns: SIDE, bits: 8 };
const LARGE: Image = { rows: 10_000, columns: 10_000, bits: 8 };
const HUGE: Image = { rows: 65_535, columns: 65_535, bits: 16 };
const GRAY = pixels(Buffer.alloc(SIDE * SIDE, 128));

/** The file of one. */
export function fileOf(uids: { readonly study: string; readonly sop: string }, bad: BadImage): Buffer {
  const { image, elements, transferSyntaxUID = DICOM_UID.explicitLittleEndian } = bad;
  const dataSet = imageDataSet(uids, image, ...elements);
  const isDeflated = transferSyntaxUID === DICOM_UID.deflatedExplicitLittleEndian;
  return part10(isDeflated ? deflateRawSync(dataSet) : dataSet, uids.sop, transferSyntaxUID);
}

/** All of them, by what is wrong. */
export async function badImages(): Promise<Readonly<Record<string, BadImage>>> {
  return { ...(await badFrames()), ...badSizes(), ...badFragments(await goodFrames()), ...badTables(), ...badValues() };
}

/** One of each way of compression that is as it says. */
export async function goodImages(): Promise<Readonly<Record<string, BadImage>>> {
  const { jpeg, colourJpeg, ...others } = await goodFrames();
  const of = (transferSyntaxUID: string, frame: Buffer): BadImage => ({
    image: OF_8_BITS,
    transferSyntaxUID,
    elements: [encapsulated([], [frame])],
    status: 200,
  });
  const ways = Object.entries(others).map(([way, frame]) => [
    `a good image of ${way}`,
    of(COMPRESSION[way as keyof typeof others], frame),
  ]);
  const ofColour = { ...of(JPEG, colourJpeg), image: { ...OF_8_BITS, samples: 3, photometric: 'YBR_FULL_422' } };
  return {
    'a good image of jpeg': of(JPEG, jpeg),
    'a good image in colour': ofColour,
    ...(Object.fromEntries(ways) as Record<string, BadImage>),
  };
}

async function badFrames(): Promise<Readonly<Record<string, BadImage>>> {
  const good = await goodFrames();
  const colour: Image = { ...OF_8_BITS, samples: 3, photometric: 'RGB' };
  const of = (transferSyntaxUID: string, frame: Buffer, image = OF_8_BITS): BadImage => ({
    image,
    transferSyntaxUID,
    elements: [encapsulated([], [frame])],
  });
  const { losslessJpeg, jpegLs, jpeg2000, htj2k } = COMPRESSION;
  return {
    'a JPEG cut in its header': of(JPEG, good.jpeg.subarray(0, 100)),
    'a JPEG-LS cut in its scan': of(jpegLs, good.jpegLs.subarray(0, good.jpegLs.length / 2)),
    'a JPEG 2000 cut in its header': of(jpeg2000, good.jpeg2000.subarray(0, 60)),
    'a lossless JPEG cut in its header': of(losslessJpeg, good.losslessJpeg.subarray(0, 30)),
    'an HTJ2K cut in its header': of(htj2k, good.htj2k.subarray(0, 60)),
    'RLE cut in a segment': of(RLE, good.rle.subarray(0, 1_000)),
    'RLE of another number of segments': of(RLE, good.rle, { ...OF_8_BITS, bits: 16 }),
    'RLE segments beyond the frame': of(
      RLE,
      Buffer.concat([Buffer.of(1, 0, 0, 0, 255, 255, 255, 255), Buffer.alloc(56)]),
    ),
    'RLE that expands without end': of(
      RLE,
      Buffer.concat([good.rle.subarray(0, 64), Buffer.alloc(4_000, 0x81)]),
      LARGE,
    ),
    'gray where colour is said': of(JPEG, good.jpeg, colour),
    'a photometric interpretation that is none': of(JPEG, good.jpeg, { ...OF_8_BITS, photometric: 'XYZ' }),
    'a JPEG 2000 where JPEG-LS is said': of(jpegLs, good.jpeg2000),
    'a JPEG where JPEG 2000 is said': of(jpeg2000, good.jpeg),
    'a JPEG of 65,535 x 65,535': of(JPEG, resizedJpeg(good.jpeg)),
    'a JPEG of 65,535 x 65,535 that is said to be so': of(JPEG, resizedJpeg(good.jpeg), HUGE),
    'a JPEG of 10,000 x 10,000 in 300 bytes': of(JPEG, resizedJpeg(good.jpeg, 10_000), LARGE),
    'a JPEG that disguises its size': of(JPEG, disguisedJpeg(good.jpeg)),
    'a lossless JPEG of 65,535 x 65,535': of(losslessJpeg, resizedJpeg(good.losslessJpeg)),
    'a JPEG-LS of 65,535 x 65,535': of(jpegLs, resizedJpeg(good.jpegLs)),
    'a JPEG-LS of 10,000 x 10,000 in 600 bytes': of(jpegLs, resizedJpeg(good.jpegLs, 10_000), LARGE),
    'a JPEG 2000 of 65,535 x 65,535': of(jpeg2000, resizedJpeg2000(good.jpeg2000)),
    'a JPEG 2000 of 65,535 x 65,535 that is said to be so': of(jpeg2000, resizedJpeg2000(good.jpeg2000), HUGE),
    'a JPEG 2000 of 10,000 x 10,000 in 200 bytes': of(jpeg2000, resizedJpeg2000(good.jpeg2000, 10_000), LARGE),
    'a JPEG 2000 of 65,000 tiles': of(jpeg2000, resizedJpeg2000(good.jpeg2000, 9_900, 39), {
      ...LARGE,
      rows: 9_900,
      columns: 9_900,
    }),
    'a JPEG 2000 that disguises its size': of(jpeg2000, disguisedJpeg2000(good.jpeg2000)),
    'an HTJ2K of 65,535 x 65,535': of(htj2k, resizedJpeg2000(good.htj2k)),
    'colour where gray is said': of(JPEG, good.colourJpeg),
    'chrominance that is said to be red, green and blue': { ...of(JPEG, good.colourJpeg, colour), status: 200 },
    'no frame at all': of(JPEG, Buffer.alloc(0)),
  };
}

function badSizes(): Readonly<Record<string, BadImage>> {
  const sized = (image: Partial<Image>, ...elements: readonly Buffer[]): BadImage => ({
    image: { ...OF_8_BITS, ...image },
    elements: [...elements, GRAY],
  });
  return {
    '65,535 x 65,535 pixels of which 4,096 are there': sized(HUGE),
    '9,999 x 9,999 pixels of which 4,096 are there': sized({ rows: 9_999, columns: 9_999 }),
    'a column of 65,535 pixels, which no JPEG has': {
      image: { rows: 65_535, columns: 1, bits: 8 },
      elements: [pixels(Buffer.alloc(65_536, 9))],
    },
    'no rows': sized({ rows: 0 }),
    'more samples than there are bytes': sized({ samples: 3, photometric: 'RGB' }),
    '2^31 frames': sized({ frames: '2147483648' }),
    '2^31 compressed frames': {
      image: { ...OF_8_BITS, frames: '2147483648' },
      transferSyntaxUID: JPEG,
      elements: [encapsulated([], [Buffer.alloc(2)])],
    },
    'a number of frames that is none': sized({ frames: '-1' }),
    '99 bits allocated': sized({ bits: 99 }),
    'no bits allocated': sized({ bits: 0 }),
    'more bits stored than allocated': {
      ...sized({}, element(0x00280101, 'US', 99), element(0x00280102, 'US', 65_535)),
      status: 200,
    },
    'a deflated data set of 65,535 x 65,535': {
      ...sized(HUGE),
      transferSyntaxUID: DICOM_UID.deflatedExplicitLittleEndian,
    },
    'deflated pixels that are 1,000 times larger': {
      image: { rows: 8_192, columns: 8_192, bits: 8 },
      transferSyntaxUID: DICOM_UID.deflatedExplicitLittleEndian,
      elements: [pixels(Buffer.alloc(8_192 * 8_192))],
      status: 200,
    },
  };
}

function badFragments({ jpeg }: Awaited<ReturnType<typeof goodFrames>>): Readonly<Record<string, BadImage>> {
  const image: Image = { ...OF_8_BITS, frames: '3' };
  const of = (table: readonly number[], fragments: readonly Buffer[]): BadImage => ({
    image,
    transferSyntaxUID: JPEG,
    elements: [encapsulated(table, fragments)],
  });
  const halves = [jpeg.subarray(0, 200), jpeg.subarray(200)].map(even);
  return {
    'fragments without offset table that do not tell frames apart': of([], [even(jpeg), ...halves.slice(1)]),
    'fragments without offset table, of which two begin': {
      ...of([], [...halves, even(jpeg), ...halves]),
      status: 200,
    },
    'an offset table that points beyond the end': of([0, 100_000_000, 200_000_000], [even(jpeg), even(jpeg)]),
    'an offset table that points into a frame': of([0, 13, 17], [even(jpeg), even(jpeg), even(jpeg)]),
    '150,000 fragments of nothing': {
      image,
      transferSyntaxUID: JPEG,
      elements: [encapsulated([], Array<Buffer>(150_000).fill(Buffer.alloc(0)))],
    },
  };
}

function badTables(): Readonly<Record<string, BadImage>> {
  const lut = (descriptor: Buffer, data: Buffer): readonly Buffer[] => [
    element(
      0x00283010,
      'SQ',
      item(Buffer.concat([element(0x00283002, 'US', descriptor), element(0x00283006, 'OW', data)])),
    ),
  ];
  const shown = (descriptor: readonly number[], bytes: number, status: 200 | 406 = 406): BadImage => ({
    image: OF_8_BITS,
    elements: [...lut(words(...descriptor), Buffer.alloc(bytes, 7)), GRAY],
    status,
  });
  const palette = (descriptor: readonly number[], table: number, data: Buffer): BadImage => ({
    image: { ...OF_8_BITS, photometric: 'PALETTE COLOR' },
    elements: [
      ...[1, 2, 3].map((at) => element(0x00281100 + at, 'US', words(...descriptor))),
      ...[1, 2, 3].map((at) => element(table + at, 'OW', data)),
      GRAY,
    ],
  });
  // Each of the first segments stands for those behind them all, which give nothing.
  const [references, behind] = [10_000, 40_000];
  const segments = [
    Array.from({ length: references }, () => [2, 65_535, references * 4, 0]),
    Array.from({ length: behind }, () => [0, 0]),
  ];
  const circles = Buffer.from(Uint16Array.from(segments.flat(2)).buffer);
  return {
    'a table of 65,536 entries': shown([0, 0, 16], 131_072, 200),
    'a table of 65,536 entries of which 4 are there': shown([0, 0, 16], 8),
    'a table from the greatest value on': shown([256, 65_535, 8], 512, 200),
    'a table of no bits': shown([256, 0, 0], 512, 200),
    'a table of 99 bits': shown([256, 0, 99], 512, 200),
    'a table without descriptor values': shown([], 512),
    'a palette shorter than it says': palette([256, 0, 16], 0x00281200, Buffer.alloc(100)),
    'a palette in segments that stand for many of nothing': palette([0, 0, 16], 0x00281220, circles),
    'no palette': { image: { ...OF_8_BITS, photometric: 'PALETTE COLOR' }, elements: [GRAY] },
  };
}

/** Numbers that make no picture worse than a gray one. */
function badValues(): Readonly<Record<string, BadImage>> {
  const seen = (...values: readonly (readonly [number, string])[]): BadImage => ({
    image: OF_8_BITS,
    elements: [...values.map(([tag, text]) => element(tag, 'DS', text)), GRAY],
    status: 200,
  });
  const window = (center: string, width: string): BadImage => seen([0x00281050, center], [0x00281051, width]);
  return {
    'a window of no width': window('40', '0'),
    'a window that is no number': window('NaN', 'NaN'),
    'a window of 1e308': window('-1e308', '1e308'),
    'a window of negative width': window('40', '-400'),
    '10,000 windows': window('40\\'.repeat(9_999) + '40', '400\\'.repeat(9_999) + '400'),
    'a slope of 0': seen([0x00281052, '0'], [0x00281053, '0']),
    'a slope of 1e300': seen([0x00281052, '1e300'], [0x00281053, '1e300']),
    'a slope that is no number': seen([0x00281052, 'Infinity'], [0x00281053, '-']),
  };
}

function pixels(bytes: Buffer): Buffer {
  return element(0x7fe00010, 'OW', bytes);
}

function words(...values: readonly number[]): Buffer {
  return Buffer.from(Uint16Array.from(values).buffer);
}

function even(bytes: Buffer): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(0)]);
}
