/** Values and frames of a stored instance as bytes to send: little endian, fragments joined, frames cut out. */
import { DICOM_UID } from '../../../profiles/codes.ts';
import type { DicomElement } from '../../../profiles/dicom/data-element.ts';
import { alignBits, nativeRange } from '../../../profiles/dicom/file/native-frames.ts';
import { wordBytesOf } from '../../../profiles/dicom/value-representation.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Piece } from '../../ports/image-store.ts';
import { fragmentsOf, type FrameIndex } from './frame-index.ts';
import { collect, type DataSetBytes } from '../study/stored-data-set.ts';

/** Bytes of a known length; nothing is opened before they are asked for. */
export type BulkBytes = { readonly length: number; readonly pieces: () => Pieces };

/** The pieces of an answer, in order. */
export type Pieces = AsyncIterable<Piece> | Iterable<Piece>;

/** A frame of single bits that begins within a byte is moved in memory. */
const MAX_MOVED_BYTES = 64 * 1024 * 1024;

/** The bytes of one frame (from 0). */
export async function frameBytes(
  index: FrameIndex,
  frame: number,
  transferSyntaxUID: string,
  bytes: DataSetBytes,
): Promise<BulkBytes> {
  if (index.kind === 'native') return nativeFrame(index, frame, transferSyntaxUID, bytes);
  const fragments = await fragmentsOf(index, frame, bytes.read);
  return {
    length: fragments.reduce((sum, { start, end }) => sum + end - start, 0),
    pieces: () => joined(fragments, bytes),
  };
}

/** The whole value of an element whose length is known. */
export function valueBytes(element: DicomElement, transferSyntaxUID: string, bytes: DataSetBytes): BulkBytes {
  const { offset, length } = element;
  const width = wordBytes(element, transferSyntaxUID);
  return {
    length,
    pieces: () =>
      width === 1 ? bytes.pieces(offset, offset + length) : turned(bytes.read(offset, offset + length), width),
  };
}

async function* joined(
  ranges: readonly { readonly start: number; readonly end: number }[],
  bytes: DataSetBytes,
): AsyncGenerator<Piece> {
  for (const { start, end } of ranges) yield* bytes.pieces(start, end);
}

function nativeFrame(
  { frames, element }: Extract<FrameIndex, { kind: 'native' }>,
  frame: number,
  transferSyntaxUID: string,
  bytes: DataSetBytes,
): BulkBytes {
  const { start, end, shift } = nativeRange(frames, frame);
  const width = wordBytes(element, transferSyntaxUID);
  const isWhole = frames.bitsPerFrame % 8 === 0;
  if (isWhole && width === 1)
    return { length: end - start, pieces: () => bytes.pieces(element.offset + start, element.offset + end) };
  // Words are turned round as wholes, though a frame may end within one.
  const [from, to] = [start - (start % width), Math.min(Math.ceil(end / width) * width, element.length)];
  const read = (): AsyncIterable<Uint8Array> =>
    cut(turned(bytes.read(element.offset + from, element.offset + to), width), start - from, end - start);
  if (isWhole) return { length: end - start, pieces: read };
  if (end - start > MAX_MOVED_BYTES)
    throw new Fault('too-costly', 'The frames do not begin at bytes and are too large to be moved');
  return {
    length: Math.ceil(frames.bitsPerFrame / 8),
    pieces: () => aligned(read(), shift, frames.bitsPerFrame),
  };
}

async function* aligned(chunks: AsyncIterable<Uint8Array>, shift: number, bits: number): AsyncGenerator<Uint8Array> {
  yield alignBits(await collect(chunks), shift, bits);
}

/** Bulk data is little endian whatever the data set is (PS3.18 8.7.3.2); 1 when nothing is to be turned round. */
function wordBytes({ vr, littleEndian }: DicomElement, transferSyntaxUID: string): number {
  const isBigEndian = !littleEndian || (transferSyntaxUID === DICOM_UID.geImplicitLittleEndian && vr === 'OW');
  return isBigEndian ? wordBytesOf(vr) : 1;
}

/** Turns each word of a stream round; words have so many bytes. */
export async function* turned(chunks: AsyncIterable<Uint8Array>, width: number): AsyncGenerator<Uint8Array> {
  if (width === 1) return yield* chunks;
  let rest: Uint8Array = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    const words = bytes.length - (bytes.length % width);
    rest = bytes.subarray(words);
    for (let at = 0; at < words; at += width) bytes.subarray(at, at + width).reverse();
    yield bytes.subarray(0, words);
  }
  if (rest.length > 0) yield rest;
}

async function* cut(chunks: AsyncIterable<Uint8Array>, skip: number, length: number): AsyncGenerator<Uint8Array> {
  let position = -skip;
  for await (const chunk of chunks) {
    const [from, to] = [Math.max(-position, 0), Math.min(length - position, chunk.length)];
    if (to > from) yield chunk.subarray(from, to);
    position += chunk.length;
  }
}
