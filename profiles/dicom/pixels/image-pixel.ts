/** How the pixels of an instance are to be read. @see DICOM PS3.3 C.7.6.3 (Image Pixel), C.7.6.24 (Floating Point) */
import { Fault } from '../../fault.ts';
import { intOf, TAG, textOf } from '../attributes.ts';
import type { DicomDataSet } from '../data-element.ts';

/** What the samples of a pixel mean. @see DICOM PS3.3 C.7.6.3.1.2 */
export type PhotometricInterpretation =
  | 'MONOCHROME1'
  | 'MONOCHROME2'
  | 'PALETTE COLOR'
  | 'RGB'
  | 'YBR_FULL'
  | 'YBR_FULL_422'
  | 'YBR_PARTIAL_422'
  | 'YBR_PARTIAL_420'
  | 'YBR_ICT'
  | 'YBR_RCT';

/** The Image Pixel module of an instance. */
export type ImagePixel = {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: 1 | 3;
  readonly photometricInterpretation: PhotometricInterpretation;
  /** Native colour is sent plane by plane. */
  readonly isPlanar: boolean;
  /** Bits of a sample in the native form: those of a float are 32 or 64. */
  readonly bitsAllocated: 1 | 8 | 16 | 32 | 64;
  readonly bitsStored: number;
  /** The place of the most significant bit of a sample. */
  readonly highBit: number;
  readonly isSigned: boolean;
  readonly isFloat: boolean;
};

/** Pixels of one frame that are worked on: more are no picture for a screen. */
export const MAX_FRAME_PIXELS = 100_000_000;

const INTERPRETATIONS: ReadonlySet<string> = new Set<PhotometricInterpretation>([
  'MONOCHROME1',
  'MONOCHROME2',
  'PALETTE COLOR',
  'RGB',
  'YBR_FULL',
  'YBR_FULL_422',
  'YBR_PARTIAL_422',
  'YBR_PARTIAL_420',
  'YBR_ICT',
  'YBR_RCT',
]);
const BITS_ALLOCATED: ReadonlySet<number> = new Set([1, 8, 16, 32, 64]);

/**
 * Reads the module.
 * @throws {Fault} not-supported - an attribute is missing, or of a value that no picture is made of
 * @throws {Fault} too-costly - the frame has more pixels than {@link MAX_FRAME_PIXELS}
 */
export function imagePixelOf(dataSet: DicomDataSet): ImagePixel {
  const [rows, columns] = [sizeOf(dataSet, 'Rows'), sizeOf(dataSet, 'Columns')];
  if (rows * columns > MAX_FRAME_PIXELS)
    throw new Fault('too-costly', `A frame of more than ${MAX_FRAME_PIXELS} pixels is not rendered`);
  const samplesPerPixel = samplesOf(dataSet);
  const isFloat = floatBitsOf(dataSet) !== undefined;
  const bitsAllocated = bitsAllocatedOf(dataSet);
  const bitsStored = bitsWithin(intOf(dataSet, TAG.BitsStored), bitsAllocated);
  return {
    rows,
    columns,
    samplesPerPixel,
    photometricInterpretation: interpretationOf(dataSet, samplesPerPixel),
    isPlanar: samplesPerPixel === 3 && intOf(dataSet, TAG.PlanarConfiguration) === 1,
    bitsAllocated,
    bitsStored,
    highBit: highBitOf(dataSet, bitsAllocated, bitsStored),
    isSigned: !isFloat && intOf(dataSet, TAG.PixelRepresentation) === 1,
    isFloat,
  };
}

function sizeOf(dataSet: DicomDataSet, keyword: 'Rows' | 'Columns'): number {
  const size = intOf(dataSet, TAG[keyword]);
  if (size === undefined || size < 1) throw unreadable(keyword);
  return size;
}

function samplesOf(dataSet: DicomDataSet): 1 | 3 {
  const samples = intOf(dataSet, TAG.SamplesPerPixel) ?? 1;
  if (samples !== 1 && samples !== 3) throw unreadable('SamplesPerPixel');
  return samples;
}

function interpretationOf(dataSet: DicomDataSet, samples: 1 | 3): PhotometricInterpretation {
  const named = textOf(dataSet, TAG.PhotometricInterpretation) ?? (samples === 1 ? 'MONOCHROME2' : 'RGB');
  if (!isInterpretation(named) || isOneSample(named) !== (samples === 1)) throw unreadable('PhotometricInterpretation');
  return named;
}

function isInterpretation(text: string): text is PhotometricInterpretation {
  return INTERPRETATIONS.has(text);
}

function isOneSample(interpretation: PhotometricInterpretation): boolean {
  return interpretation.startsWith('MONOCHROME') || interpretation === 'PALETTE COLOR';
}

/** Floats have elements of their own, and no BitsStored. */
function floatBitsOf({ elements }: DicomDataSet): 32 | 64 | undefined {
  if (elements.has(TAG.PixelData)) return undefined;
  if (elements.has(TAG.FloatPixelData)) return 32;
  return elements.has(TAG.DoubleFloatPixelData) ? 64 : undefined;
}

function bitsAllocatedOf(dataSet: DicomDataSet): ImagePixel['bitsAllocated'] {
  const bits = floatBitsOf(dataSet) ?? intOf(dataSet, TAG.BitsAllocated);
  if (bits === undefined || !isBitsAllocated(bits)) throw unreadable('BitsAllocated');
  if (bits === 64 && floatBitsOf(dataSet) === undefined) throw unreadable('BitsAllocated');
  return bits;
}

function isBitsAllocated(bits: number): bits is ImagePixel['bitsAllocated'] {
  return BITS_ALLOCATED.has(bits);
}

/** Devices that write none, or too many, mean all. */
function bitsWithin(bits: number | undefined, allocated: number): number {
  return bits === undefined || bits < 1 || bits > allocated ? allocated : bits;
}

/** A place that leaves no room for the stored bits is not believed. */
function highBitOf(dataSet: DicomDataSet, allocated: number, stored: number): number {
  const highBit = intOf(dataSet, TAG.HighBit) ?? stored - 1;
  return highBit >= stored - 1 && highBit < allocated ? highBit : stored - 1;
}

function unreadable(keyword: string): Fault {
  return new Fault('not-supported', `The picture cannot be made: ${keyword} is missing or not supported`, {
    expression: keyword,
  });
}
