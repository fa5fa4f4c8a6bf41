/** Compressed frames that lie of their size, or cost more than they say. */
import sharp from 'sharp';
import { COMPRESSION, compressed } from '../../support/examples/compressed-frames.ts';

/** Side of the frames that are honest. */
export const SIDE = 64;
/** More pixels than the largest picture may have, twice over. */
const HUGE = 65_535;

const RAMP = Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (at % SIDE) * 4);
/** CharLS has long to do where such a scan is cut. */
const NOISE = RAMP.map((_, at) => Math.floor((at * 2_654_435_761) / 8_192) % 256);
const FRAME = { width: SIDE, height: SIDE, bits: 8, pixels: RAMP } as const;

/** A good frame of each kind. */
export async function goodFrames(): Promise<
  Readonly<Record<keyof typeof COMPRESSION | 'jpeg' | 'colourJpeg', Buffer>>
> {
  return {
    jpeg: await sharp(RAMP, { raw: { width: SIDE, height: SIDE, channels: 1 } })
      .toColourspace('b-w')
      .jpeg()
      .toBuffer(),
    colourJpeg: await sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: '#8040c0' } })
      .jpeg()
      .toBuffer(),
    rle: await compressed('rle', FRAME),
    losslessJpeg: await compressed('losslessJpeg', FRAME),
    jpegLs: await compressed('jpegLs', { ...FRAME, pixels: NOISE }),
    jpeg2000: await compressed('jpeg2000', FRAME),
    htj2k: await compressed('htj2k', FRAME),
  };
}

/** A JPEG of any process, or JPEG-LS, that says to be of another size. */
export function resizedJpeg(frame: Buffer, side = HUGE): Buffer {
  const resized = Buffer.from(frame);
  const at = [0xc0, 0xc1, 0xc3, 0xf7]
    .map((marker) => frame.indexOf(Buffer.of(0xff, marker)))
    .find((found) => found > 0);
  if (at === undefined) throw new Error('The JPEG has no frame header');
  resized.writeUInt16BE(side, at + 5);
  resized.writeUInt16BE(side, at + 7);
  return resized;
}

/** A JPEG 2000 that says to be of another size, in tiles of so many pixels a side. */
export function resizedJpeg2000(frame: Buffer, side = HUGE, tile = side): Buffer {
  const resized = Buffer.from(frame);
  for (const at of [8, 12]) resized.writeUInt32BE(side, at);
  for (const at of [24, 28]) resized.writeUInt32BE(tile, at);
  return resized;
}

/** A JP2 file with what looks like a codestream of the right size in one of its boxes; the real one is large. */
export function disguisedJpeg2000(frame: Buffer): Buffer {
  const large = resizedJpeg2000(frame, 20_000);
  const header = Buffer.concat([
    box('ihdr', Buffer.from('00004e2000004e20000107070000', 'hex')),
    box('colr', Buffer.from('01000000000011', 'hex')),
  ]);
  return Buffer.concat([
    Buffer.from('0000000c6a5020200d0a870a', 'hex'),
    box('ftyp', Buffer.from('6a703220000000006a703220', 'hex')),
    box('uuid', Buffer.concat([Buffer.alloc(16), frame.subarray(0, 64)])),
    box('jp2h', header),
    box('jp2c', large),
  ]);
}

/** A JPEG that is large behind a marker without a length; who takes what follows it for a length finds a small one. */
export function disguisedJpeg(frame: Buffer): Buffer {
  const large = resizedJpeg(frame, 20_000).subarray(2);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(length.length + large.length);
  return Buffer.concat([Buffer.of(0xff, 0xd8, 0xff, 0x01), length, large, frame.subarray(2)]);
}

/** A progressive JPEG with many scans over all of its pixels: little to send, long to decode. */
export async function manyScans(side: number, scans: number): Promise<Buffer> {
  const blank = await sharp({ create: { width: side, height: side, channels: 3, background: '#808080' } })
    .toColourspace('b-w')
    .jpeg({ progressive: true })
    .toBuffer();
  const [start, end] = [0xda, 0xd9].map((marker) => blank.lastIndexOf(Buffer.of(0xff, marker)));
  const scan = blank.subarray(start, end);
  return Buffer.concat([blank.subarray(0, end), ...Array<Buffer>(scans).fill(scan), blank.subarray(end)]);
}

function box(type: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length + 8);
  return Buffer.concat([length, Buffer.from(type, 'latin1'), content]);
}
