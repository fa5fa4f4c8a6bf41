/**
 * What a compressed frame says of itself, read before anything is decoded: a frame that is larger than its instance
 * says is refused while it is small. What is read must be what the decoder reads: nothing is searched for.
 * @see ITU-T T.81 B.2.2, T.87 C.2.2, T.800 A.5.1 and I.4
 */
import { Fault } from '../../fault.ts';

/** The size of a compressed image. */
export type Codestream = {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  /** Bits of a sample. */
  readonly precision: number;
  /** The second byte of the marker of a JPEG frame; undefined for JPEG 2000. */
  readonly frameMarker: number | undefined;
};

/** Start of frame: T.81 has 13 of them among C0 to CF, JPEG-LS has F7. */
const NO_FRAME: ReadonlySet<number> = new Set([0xc4, 0xc8, 0xcc]);
const START_OF_FRAME_LS = 0xf7;
const START_OF_IMAGE = 0xff_d8;
const START_OF_SCAN = 0xda;
/** SOC and SIZ follow each other. */
const JPEG_2000 = Buffer.from([0xff, 0x4f, 0xff, 0x51]);
/** The first box of a JP2 file, which may be around a codestream. */
const JP2_SIGNATURE = Buffer.from('0000000c6a5020200d0a870a', 'hex');
const CODESTREAM_BOX = 'jp2c';
const BOX_HEADER_BYTES = 8;

/**
 * Reads the header.
 * @throws {Fault} invalid - there is none
 */
export function codestreamOf(encoded: Uint8Array): Codestream {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (bytes.length > 4 && bytes.readUInt16BE(0) === START_OF_IMAGE) return jpegOf(bytes);
  const codestream = startsWith(bytes, JP2_SIGNATURE) ? codestreamInBoxes(bytes) : bytes;
  if (!startsWith(codestream, JPEG_2000)) throw broken();
  return jpeg2000Of(codestream.subarray(JPEG_2000.length));
}

function startsWith(bytes: Buffer, beginning: Buffer): boolean {
  return bytes.subarray(0, beginning.length).equals(beginning);
}

/** Goes from box to box: what lies within another box is no codestream. */
function codestreamInBoxes(bytes: Buffer): Buffer {
  for (let at = 0; at + BOX_HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + BOX_HEADER_BYTES) === CODESTREAM_BOX)
      return bytes.subarray(at + BOX_HEADER_BYTES);
    if (length < BOX_HEADER_BYTES) break;
    at += length;
  }
  throw broken();
}

function jpegOf(bytes: Buffer): Codestream {
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff || marker === START_OF_SCAN || isBare(marker)) break;
    // A marker may be preceded by fill bytes.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (isFrame(marker) && at + 10 <= bytes.length)
      return {
        precision: bytes[at + 4] ?? 0,
        rows: bytes.readUInt16BE(at + 5),
        columns: bytes.readUInt16BE(at + 7),
        components: bytes[at + 9] ?? 0,
        frameMarker: marker,
      };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  throw broken();
}

/** Markers that no length follows: none of them comes before a frame. */
function isBare(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd9);
}

function isFrame(marker: number): boolean {
  return (marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.has(marker)) || marker === START_OF_FRAME_LS;
}

/** From the length of SIZ on. */
function jpeg2000Of(size: Buffer): Codestream {
  if (size.length < 39) throw broken();
  const [columns, rows, left, top] = [4, 8, 12, 16].map((at) => size.readUInt32BE(at));
  return {
    columns: (columns ?? 0) - (left ?? 0),
    rows: (rows ?? 0) - (top ?? 0),
    components: size.readUInt16BE(36),
    precision: ((size[38] ?? 0) & 0x7f) + 1,
    frameMarker: undefined,
  };
}

function broken(): Fault {
  return new Fault('invalid', 'The compressed frame has no readable header', { expression: 'PixelData' });
}
