/** How the grayscale of a frame is shown, as its attributes say. @see DICOM PS3.3 C.11.1, C.11.2, C.7.6.16.2.9, 2.10 */
import { intOf, itemsOf, numberOf, TAG, textOf } from '../attributes.ts';
import type { DicomDataSet, DicomElement } from '../data-element.ts';
import { placesOfFrame } from './frame-attributes.ts';
import type { GrayTransform, ModalityTransform, VoiTransform, Window, WindowFunction } from './grayscale.ts';
import type { ImagePixel } from './image-pixel.ts';
import { lookupTable, tableDescriptorOf, type LookupTable } from './lookup-table.ts';

/** Reads the value of an element, which a scan may have left where it is. */
export type ReadValue = (element: DicomElement) => Promise<Uint8Array>;

const FUNCTIONS: ReadonlySet<string> = new Set<WindowFunction>(['LINEAR', 'LINEAR_EXACT', 'SIGMOID']);
/** Presentation values of objects that say so, and of MONOCHROME1, are least where they are brightest. */
const INVERSE = 'INVERSE';

/**
 * Finds the transform of a frame (from 0). A window that is asked for is taken instead of those of the image.
 * @throws {Fault} not-supported - a lookup table cannot be read
 */
export async function grayTransformOf(
  dataSet: DicomDataSet,
  frame: number,
  image: ImagePixel,
  read: ReadValue,
  asked?: Window,
): Promise<GrayTransform> {
  const modality = await modalityOf(placesOfFrame(dataSet, frame, TAG.PixelValueTransformationSequence), image, read);
  const voiPlaces = placesOfFrame(dataSet, frame, TAG.FrameVOILUTSequence);
  return {
    modality,
    voi: asked === undefined ? await voiOf(voiPlaces, modality, image, read) : { kind: 'window', window: asked },
    isInverse: isInverse(dataSet, image),
    padding: paddingOf(dataSet),
  };
}

async function modalityOf(
  places: readonly DicomDataSet[],
  image: ImagePixel,
  read: ReadValue,
): Promise<ModalityTransform> {
  for (const place of places) {
    const table = await tableIn(place, TAG.ModalityLUTSequence, image.isSigned, read);
    if (table !== undefined) return { kind: 'table', table };
    const slope = numberOf(place, TAG.RescaleSlope);
    const intercept = numberOf(place, TAG.RescaleIntercept);
    if (slope !== undefined || intercept !== undefined)
      return { kind: 'linear', slope: slope === 0 ? 1 : (slope ?? 1), intercept: intercept ?? 0 };
  }
  return { kind: 'linear', slope: 1, intercept: 0 };
}

async function voiOf(
  places: readonly DicomDataSet[],
  modality: ModalityTransform,
  image: ImagePixel,
  read: ReadValue,
): Promise<VoiTransform> {
  const isSigned = modality.kind === 'linear' && (image.isSigned || modality.intercept < 0);
  for (const place of places) {
    const window = windowOf(place);
    if (window !== undefined) return { kind: 'window', window };
    const table = await tableIn(place, TAG.VOILUTSequence, isSigned, read);
    if (table !== undefined) return { kind: 'table', table };
  }
  return { kind: 'range' };
}

/** The first window of a data set; undefined when it has none that tells values apart. */
function windowOf(place: DicomDataSet): Window | undefined {
  const center = numberOf(place, TAG.WindowCenter);
  const width = numberOf(place, TAG.WindowWidth);
  const shape = textOf(place, TAG.VOILUTFunction) ?? 'LINEAR';
  if (center === undefined || width === undefined || !isFunction(shape)) return undefined;
  const isUsable = shape === 'LINEAR' ? width >= 1 : width > 0;
  return isUsable ? { center, width, function: shape } : undefined;
}

function isFunction(text: string): text is WindowFunction {
  return FUNCTIONS.has(text);
}

/** The first table of a sequence. */
async function tableIn(
  place: DicomDataSet,
  sequence: number,
  isSignedInput: boolean,
  read: ReadValue,
): Promise<LookupTable | undefined> {
  const elements = itemsOf(place, sequence)[0]?.elements;
  const [descriptor, data] = [elements?.get(TAG.LUTDescriptor), elements?.get(TAG.LUTData)];
  if (descriptor === undefined || data === undefined) return undefined;
  return lookupTable(tableDescriptorOf(descriptor, isSignedInput), await read(data), data.littleEndian);
}

function isInverse(dataSet: DicomDataSet, { photometricInterpretation }: ImagePixel): boolean {
  const shape = textOf(dataSet, TAG.PresentationLUTShape);
  return shape === undefined ? photometricInterpretation === 'MONOCHROME1' : shape === INVERSE;
}

function paddingOf(dataSet: DicomDataSet): readonly [number, number] | undefined {
  const value = intOf(dataSet, TAG.PixelPaddingValue);
  const limit = intOf(dataSet, TAG.PixelPaddingRangeLimit) ?? value;
  return value === undefined || limit === undefined ? undefined : [Math.min(value, limit), Math.max(value, limit)];
}
