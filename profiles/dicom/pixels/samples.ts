/** The samples of a frame as numbers of their width, before they mean anything. @see DICOM PS3.5 8.1 and 8.2 */
import { Fault } from '../../fault.ts';
import type { ImagePixel } from './image-pixel.ts';

/** Samples of a frame, those of one pixel side by side or plane by plane. */
export type Samples = Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array;

/** A frame that is decoded: what its samples are, which for compressed frames the codec says. */
export type DecodedFrame = {
  readonly samples: Samples;
  readonly isPlanar: boolean;
  /** The chrominance is still to be turned into red, green and blue. */
  readonly isYbr: boolean;
};

/**
 * Reads a native frame: little endian, its single bits from the first byte on.
 * @throws {Fault} invalid - it is shorter than its pixels
 */
export function nativeFrame(bytes: Uint8Array, image: ImagePixel): DecodedFrame {
  const { rows, columns, samplesPerPixel, photometricInterpretation: interpretation } = image;
  const isYbr = samplesPerPixel === 3 && interpretation.startsWith('YBR');
  if (isYbr && interpretation.endsWith('_422'))
    return { samples: spread(samplesIn(bytes, image, rows * columns * 2)), isPlanar: false, isYbr };
  const samples = samplesIn(bytes, image, rows * columns * samplesPerPixel);
  return { samples, isPlanar: image.isPlanar, isYbr };
}

/**
 * Reads so many samples of a width in bits, little endian.
 * @throws {Fault} invalid - the bytes are fewer
 */
export function samplesIn(
  bytes: Uint8Array,
  { bitsAllocated, isFloat }: Pick<ImagePixel, 'bitsAllocated' | 'isFloat'>,
  count: number,
): Samples {
  if (bytes.length * 8 < count * bitsAllocated)
    throw new Fault('invalid', 'The frame is shorter than its pixels', { expression: 'PixelData' });
  if (bitsAllocated === 1) return singleBits(bytes, count);
  if (bitsAllocated === 8) return bytes.subarray(0, count);
  const { buffer, offset } = aligned(bytes, (count * bitsAllocated) / 8, bitsAllocated / 8);
  if (bitsAllocated === 16) return new Uint16Array(buffer, offset, count);
  if (bitsAllocated === 64) return new Float64Array(buffer, offset, count);
  return isFloat ? new Float32Array(buffer, offset, count) : new Uint32Array(buffer, offset, count);
}

function singleBits(bytes: Uint8Array, count: number): Uint8Array {
  const bits = new Uint8Array(count);
  for (let at = 0; at < count; at += 1) bits[at] = ((bytes[at >> 3] ?? 0) >> (at & 7)) & 1;
  return bits;
}

/** Views of words begin at a multiple of their width. */
function aligned(bytes: Uint8Array, length: number, width: number): { buffer: ArrayBufferLike; offset: number } {
  if (bytes.byteOffset % width === 0) return { buffer: bytes.buffer, offset: bytes.byteOffset };
  return { buffer: bytes.slice(0, length).buffer, offset: 0 };
}

/** Two pixels of 4:2:2 are sent as Y1 Y2 Cb Cr: each gets the chrominance that they share (PS3.3 C.7.6.3.1.2). */
function spread(halved: Samples): Samples {
  const spread = new Uint8Array((halved.length / 2) * 3);
  for (let from = 0, to = 0; from + 3 < halved.length; from += 4, to += 6) {
    const [blue, red] = [halved[from + 2] ?? 0, halved[from + 3] ?? 0];
    spread[to] = halved[from] ?? 0;
    spread[to + 1] = spread[to + 4] = blue;
    spread[to + 2] = spread[to + 5] = red;
    spread[to + 3] = halved[from + 1] ?? 0;
  }
  return spread;
}
