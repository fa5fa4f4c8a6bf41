/** RLE Lossless: one frame. @see DICOM PS3.5 Annex G */
import { Fault } from '../../fault.ts';

const HEADER_BYTES = 64;
const MAX_SEGMENTS = 15;

/** What a frame must become. */
export type RleFrame = { readonly pixels: number; readonly samplesPerPixel: number; readonly bytesPerSample: number };

/**
 * Decodes a frame into samples, little endian, plane by plane (PS3.5 G.2).
 * @throws {Fault} invalid - the number of segments is another, or one of them is cut
 */
export function decodeRle(encoded: Uint8Array, { pixels, samplesPerPixel, bytesPerSample }: RleFrame): Uint8Array {
  const starts = segmentStarts(encoded);
  if (starts.length !== samplesPerPixel * bytesPerSample)
    throw broken(`The frame has ${starts.length} RLE segments where ${samplesPerPixel * bytesPerSample} make a pixel`);
  const decoded = new Uint8Array(pixels * samplesPerPixel * bytesPerSample);
  for (const [segment, start] of starts.entries()) {
    const end = starts[segment + 1] ?? encoded.length;
    const sample = Math.floor(segment / bytesPerSample);
    // The most significant byte of a sample comes first.
    const significance = bytesPerSample - 1 - (segment % bytesPerSample);
    const into = { at: sample * pixels * bytesPerSample + significance, step: bytesPerSample, count: pixels };
    decodeSegment(encoded.subarray(start, end), decoded, into);
  }
  return decoded;
}

function segmentStarts(encoded: Uint8Array): readonly number[] {
  if (encoded.length < HEADER_BYTES) throw broken('The RLE header is cut short');
  const view = new DataView(encoded.buffer, encoded.byteOffset, HEADER_BYTES);
  const count = view.getUint32(0, true);
  if (count > MAX_SEGMENTS) throw broken(`The RLE header tells of ${count} segments`);
  const starts = Array.from({ length: count }, (_, at) => view.getUint32(4 + at * 4, true));
  const isRising = starts.every((start, at) => start >= (starts[at - 1] ?? HEADER_BYTES) && start <= encoded.length);
  if (!isRising) throw broken('The RLE header tells of segments that are not there');
  return starts;
}

type Target = { readonly at: number; readonly step: number; readonly count: number };

/** Padding behind the last byte of a segment is passed over. */
function decodeSegment(segment: Uint8Array, decoded: Uint8Array, { at, step, count }: Target): void {
  const end = at + step * count;
  let target = at;
  for (let from = 0; target < end;) {
    const control = segment[from];
    if (control === undefined) throw broken('An RLE segment ends too early');
    from += 1;
    if (control === 128) continue;
    if (control < 128) {
      if (from + control >= segment.length) throw broken('An RLE segment ends too early');
      for (let left = control; left >= 0 && target < end; left -= 1, target += step)
        decoded[target] = segment[from++] ?? 0;
      continue;
    }
    const repeated = segment[from++];
    if (repeated === undefined) throw broken('An RLE segment ends too early');
    for (let left = 256 - control; left >= 0 && target < end; left -= 1, target += step) decoded[target] = repeated;
  }
}

function broken(message: string): Fault {
  return new Fault('invalid', message, { expression: 'PixelData' });
}
