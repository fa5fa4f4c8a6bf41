/** The frames of native pixel data: where each lies in the value. @see DICOM PS3.3 C.7.6.3, PS3.5 8.1.1 */
import { Fault } from '../../fault.ts';
import { numberOf, TAG, textOf } from '../attributes.ts';
import { UNDEFINED_LENGTH, type DicomDataSet, type DicomElement } from '../data-element.ts';

/** Frames of one size that follow each other without padding; a frame may begin within a byte. */
export type NativeFrames = { readonly count: number; readonly bitsPerFrame: number };

/** Two pixels of 4:2:2 share their chrominance: four values where there would be six (C.7.6.3.1.2). */
const HALVED_CHROMINANCE: ReadonlySet<string> = new Set(['YBR_FULL_422', 'YBR_PARTIAL_422']);

/**
 * Measures the frames of a native pixel data element.
 * @throws {Fault} not-supported - the attributes of the image do not say how large a frame is, or the value is shorter
 */
export function nativeFramesOf(dataSet: DicomDataSet, pixelData: DicomElement): NativeFrames {
  const count = frameCountOf(dataSet);
  const pixels = countOf(dataSet, 'Rows') * countOf(dataSet, 'Columns');
  const bitsPerFrame = pixels * samplesOf(dataSet) * countOf(dataSet, 'BitsAllocated');
  const isThere = pixelData.length !== UNDEFINED_LENGTH && Math.ceil((count * bitsPerFrame) / 8) <= pixelData.length;
  if (!isThere)
    throw new Fault('not-supported', 'The pixel data is shorter than its frames', { expression: 'PixelData' });
  return { count, bitsPerFrame };
}

/**
 * The number of frames; 1 when the object does not say.
 * @throws {Fault} not-supported - it is no positive number
 */
export function frameCountOf(dataSet: DicomDataSet): number {
  return countOf(dataSet, 'NumberOfFrames', 1);
}

/** Where a frame (from 0) lies: the bytes that hold it, and how many bits of the first are of the frame before. */
export function nativeRange(
  { bitsPerFrame }: NativeFrames,
  frame: number,
): { readonly start: number; readonly end: number; readonly shift: number } {
  const first = frame * bitsPerFrame;
  return { start: Math.floor(first / 8), end: Math.ceil((first + bitsPerFrame) / 8), shift: first % 8 };
}

/** Moves a frame of single bits to the beginning of its first byte; bits after its last are zero (PS3.18 8.7.3). */
export function alignBits(bytes: Uint8Array, shift: number, bits: number): Uint8Array {
  const aligned = new Uint8Array(Math.ceil(bits / 8));
  for (let at = 0; at < aligned.length; at++) {
    aligned[at] = ((bytes[at] ?? 0) >> shift) | ((bytes[at + 1] ?? 0) << (8 - shift));
  }
  const rest = bits % 8;
  if (rest !== 0) aligned[aligned.length - 1] = (aligned.at(-1) ?? 0) & ((1 << rest) - 1);
  return aligned;
}

function samplesOf(dataSet: DicomDataSet): number {
  const samples = countOf(dataSet, 'SamplesPerPixel', 1);
  const isHalved = samples === 3 && HALVED_CHROMINANCE.has(textOf(dataSet, TAG.PhotometricInterpretation) ?? '');
  return isHalved ? 2 : samples;
}

function countOf(
  dataSet: DicomDataSet,
  keyword: 'Rows' | 'Columns' | 'BitsAllocated' | 'SamplesPerPixel' | 'NumberOfFrames',
  usual?: number,
): number {
  const count = numberOf(dataSet, TAG[keyword]) ?? usual;
  if (count !== undefined && Number.isSafeInteger(count) && count > 0) return count;
  throw new Fault('not-supported', `${keyword} does not say how large a frame is`, { expression: keyword });
}
