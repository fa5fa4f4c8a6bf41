/**
 * From stored values to gray: modality, then VOI, then what the display shows. @see DICOM PS3.3 C.11.1, C.11.2 and
 * PS3.4 N.2
 */
import type { ImagePixel } from './image-pixel.ts';
import { lookUp, type LookupTable } from './lookup-table.ts';
import type { Samples } from './samples.ts';

/** What stored values measure. */
export type ModalityTransform =
  | { readonly kind: 'linear'; readonly slope: number; readonly intercept: number }
  | { readonly kind: 'table'; readonly table: LookupTable };

/** The function of a window. @see DICOM PS3.3 C.11.2.1.3 */
export type WindowFunction = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';

/** Which values are told apart. */
export type Window = { readonly center: number; readonly width: number; readonly function: WindowFunction };

/** How values become gray: by a window, a table, or from the least to the greatest of the frame. */
export type VoiTransform =
  | { readonly kind: 'window'; readonly window: Window }
  | { readonly kind: 'table'; readonly table: LookupTable }
  | { readonly kind: 'range' };

/** What grayscale frames are rendered by. */
export type GrayTransform = {
  readonly modality: ModalityTransform;
  readonly voi: VoiTransform;
  /** The least value is shown white. */
  readonly isInverse: boolean;
  /** Stored values from the first to the second are no part of the image (PixelPaddingValue). */
  readonly padding: readonly [number, number] | undefined;
};

type ToGray = (value: number) => number;

const WHITE = 255;
/** Up to so many bits every stored value has an entry of a table. */
const MOST_TABLE_BITS = 16;

/** Renders a frame: one byte a pixel, into as many as it has. */
export function renderGray(
  samples: Samples,
  image: ImagePixel,
  transform: GrayTransform,
  gray: Uint8Array = new Uint8Array(samples.length),
): Uint8Array {
  const { bitsStored, highBit, isFloat, isSigned } = image;
  const isTabled = !isFloat && bitsStored <= MOST_TABLE_BITS;
  const valueOf = isFloat ? (raw: number) => raw : storedValue(bitsStored, highBit, isSigned);
  const toGray = grayOf(transform, () => rangeOf(samples, valueOf, transform));
  if (!isTabled) {
    for (let at = 0; at < gray.length; at += 1) gray[at] = toGray(valueOf(samples[at] ?? 0));
    return gray;
  }
  const shift = highBit + 1 - bitsStored;
  const mask = 2 ** bitsStored - 1;
  const table = new Uint8Array(mask + 1);
  for (let code = 0; code <= mask; code += 1) table[code] = toGray(valueOf(code << shift));
  for (let at = 0; at < gray.length; at += 1) gray[at] = table[((samples[at] ?? 0) >>> shift) & mask] ?? 0;
  return gray;
}

/** Takes the stored bits out of a sample and reads their sign. @see DICOM PS3.5 8.1.1 */
export function storedValue(bitsStored: number, highBit: number, isSigned: boolean): (sample: number) => number {
  const shift = highBit + 1 - bitsStored;
  const [range, half] = [2 ** bitsStored, 2 ** (bitsStored - 1)];
  return (sample) => {
    const code = bitsStored === 32 ? sample >>> 0 : (sample >>> shift) & (range - 1);
    return isSigned && code >= half ? code - range : code;
  };
}

function grayOf({ modality, voi, isInverse }: GrayTransform, range: () => readonly [number, number]): ToGray {
  const measure = measureOf(modality);
  const shown = shownBy(voi, range);
  return (stored) => {
    const gray = Math.round(shown(measure(stored)) * WHITE);
    return isInverse ? WHITE - gray : gray;
  };
}

function measureOf(modality: ModalityTransform): (stored: number) => number {
  if (modality.kind === 'table') return (stored) => lookUp(modality.table, stored);
  const { slope, intercept } = modality;
  return (stored) => stored * slope + intercept;
}

/** The share of white, 0 to 1. */
function shownBy(voi: VoiTransform, range: () => readonly [number, number]): (value: number) => number {
  if (voi.kind === 'window') return windowed(voi.window);
  if (voi.kind === 'table') {
    const most = 2 ** voi.table.bits - 1;
    return (value) => clamped(lookUp(voi.table, value) / most);
  }
  const [least, greatest] = range();
  return (value) => (greatest > least ? clamped((value - least) / (greatest - least)) : 0);
}

/** @see DICOM PS3.3 C.11.2.1.2.1 (linear), C.11.2.1.3.1 (sigmoid), C.11.2.1.3.2 (linear exact) */
function windowed({ center, width, function: shape }: Window): (value: number) => number {
  if (shape === 'SIGMOID') return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
  if (shape === 'LINEAR_EXACT') return (value) => clamped((value - center) / width + 0.5);
  if (width <= 1) return (value) => (value <= center - 0.5 ? 0 : 1);
  return (value) => clamped((value - (center - 0.5)) / (width - 1) + 0.5);
}

function clamped(share: number): number {
  if (share > 0) return share < 1 ? share : 1;
  return 0;
}

/** The least and the greatest measured value of a frame, padding and what is no number left out. */
function rangeOf(
  samples: Samples,
  valueOf: (sample: number) => number,
  { modality, padding }: GrayTransform,
): readonly [number, number] {
  const measure = measureOf(modality);
  let [least, greatest] = [Infinity, -Infinity];
  for (let at = 0; at < samples.length; at += 1) {
    const stored = valueOf(samples[at] ?? 0);
    if (padding !== undefined && stored >= padding[0] && stored <= padding[1]) continue;
    const value = measure(stored);
    if (value < least) least = value;
    if (value > greatest && value !== Infinity) greatest = value;
  }
  return [least === -Infinity ? 0 : least, greatest];
}
