/** Colour frames as red, green and blue of a byte each. @see DICOM PS3.3 C.7.6.3.1.2, C.7.6.3.1.5 and C.7.9 */
import { storedValue } from './grayscale.ts';
import type { ImagePixel } from './image-pixel.ts';
import { lookUp, type LookupTable } from './lookup-table.ts';
import type { DecodedFrame, Samples } from './samples.ts';

/** The tables of a palette. */
export type Palette = { readonly red: LookupTable; readonly green: LookupTable; readonly blue: LookupTable };

/** Renders a frame of three samples a pixel. */
export function renderColour({ samples, isPlanar, isYbr }: DecodedFrame, image: ImagePixel): Uint8Array {
  const bytes = asBytes(samples, image);
  const pixels = isPlanar ? interleaved(bytes) : bytes;
  if (!isYbr) return pixels;
  return image.photometricInterpretation.startsWith('YBR_PARTIAL') ? fromYbr(pixels, PARTIAL) : fromYbr(pixels, FULL);
}

/** Renders a frame of palette indexes. `valueOf` takes the stored bits out of a sample. */
export function renderPalette(
  samples: Samples,
  { red, green, blue }: Palette,
  valueOf: (sample: number) => number,
): Uint8Array {
  const tables = [red, green, blue].map(eightBits);
  const { first } = red;
  const last = red.entries.length - 1;
  const pixels = new Uint8Array(samples.length * 3);
  for (let at = 0, to = 0; at < samples.length; at += 1) {
    const index = Math.min(Math.max(valueOf(samples[at] ?? 0) - first, 0), last);
    for (const table of tables) pixels[to++] = table[index] ?? 0;
  }
  return pixels;
}

/** Entries of 16 bits are shown by their upper half. */
function eightBits(table: LookupTable): Uint8Array {
  const scale = 255 / (2 ** table.bits - 1);
  return Uint8Array.from({ length: table.entries.length }, (_, at) =>
    table.bits === 16 ? lookUp(table, table.first + at) >> 8 : Math.round(lookUp(table, table.first + at) * scale),
  );
}

function asBytes(samples: Samples, { bitsStored, highBit }: ImagePixel): Uint8Array {
  if (samples instanceof Uint8Array && bitsStored === 8) return samples;
  const valueOf = storedValue(bitsStored, highBit, false);
  const scale = 255 / (2 ** bitsStored - 1);
  const bytes = new Uint8Array(samples.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.round(valueOf(samples[at] ?? 0) * scale);
  return bytes;
}

function interleaved(planes: Uint8Array): Uint8Array {
  const size = planes.length / 3;
  const pixels = new Uint8Array(planes.length);
  for (let at = 0, to = 0; at < size; at += 1) {
    pixels[to++] = planes[at] ?? 0;
    pixels[to++] = planes[at + size] ?? 0;
    pixels[to++] = planes[at + 2 * size] ?? 0;
  }
  return pixels;
}

/** Luminance from `black` on, stretched by `gain`; what each chrominance adds. */
type YbrMatrix = { readonly black: number; readonly gain: number; readonly add: readonly number[] };

/** ITU-R BT.601, over all 256 values, and over those that broadcasting leaves. */
const FULL: YbrMatrix = { black: 0, gain: 1, add: [1.402, -0.344136, -0.714136, 1.772] };
const PARTIAL: YbrMatrix = { black: 16, gain: 255 / 219, add: [1.596, -0.392, -0.813, 2.017] };

function fromYbr(pixels: Uint8Array, { black, gain, add }: YbrMatrix): Uint8Array {
  const [redOfRed = 0, greenOfBlue = 0, greenOfRed = 0, blueOfBlue = 0] = add;
  const rgb = new Uint8ClampedArray(pixels.length);
  for (let at = 0; at + 2 < pixels.length; at += 3) {
    const light = ((pixels[at] ?? 0) - black) * gain;
    const [blue, red] = [(pixels[at + 1] ?? 0) - 128, (pixels[at + 2] ?? 0) - 128];
    rgb[at] = light + redOfRed * red;
    rgb[at + 1] = light + greenOfBlue * blue + greenOfRed * red;
    rgb[at + 2] = light + blueOfBlue * blue;
  }
  return new Uint8Array(rgb.buffer);
}
