/** What a viewer needs to know of a study before its first picture, read from the metadata of its instances. */
import { TAG } from '../dicom/attributes.ts';
import type { DicomJson } from '../dicom/json/json.ts';
import { jsonItems, jsonNumbers, jsonText, jsonUID, jsonUnsignedInt } from '../dicom/json/values.ts';
import { hasPixels } from '../dicom/storage-class.ts';

/** One instance that has pictures. */
export type InstanceOutline = {
  readonly uid: string;
  readonly frames: number;
  readonly rows: number;
  readonly columns: number;
  /** Millimetres between rows and between columns. */
  readonly spacing?: readonly [number, number];
  /** That spacing is of the detector, where what is nearer to the tube is seen larger. @see DICOM PS3.3 10.7.1.3 */
  readonly isAtDetector?: true;
  /** Centre and width of the first window. */
  readonly window?: readonly [number, number];
  readonly isColour: boolean;
};

/** One series; `documents` are the instances that are read and not looked at. */
export type SeriesOutline = {
  readonly uid: string;
  readonly number?: number;
  readonly modality: string;
  /** SeriesDescription, or ProtocolName; empty when it has neither. */
  readonly title: string;
  readonly instances: readonly InstanceOutline[];
  readonly documents: readonly DocumentOutline[];
};

/** A report, a document or a list of references. */
export type DocumentOutline = { readonly uid: string; readonly title: string };

type Open = Omit<SeriesOutline, 'instances' | 'documents'> & {
  readonly instances: InstanceOutline[];
  readonly documents: DocumentOutline[];
};

/** Most frames of one instance that a viewer goes through. */
const MOST_FRAMES = 100_000;

/** Gathers an outline, one instance after the other, in the order in which they come. */
export class StudyOutline {
  readonly #series = new Map<string, Open>();

  /** The series so far. */
  get series(): readonly SeriesOutline[] {
    return [...this.#series.values()];
  }

  /** Takes an instance; one that does not say which series it is of is left out. */
  add(json: DicomJson): void {
    const [series, uid] = [jsonUID(json, TAG.SeriesInstanceUID), jsonUID(json, TAG.SOPInstanceUID)];
    if (series === undefined || uid === undefined) return;
    const open = this.#series.get(series) ?? seriesOf(series, json);
    this.#series.set(series, open);
    const instance = instanceOf(uid, json);
    if (instance !== undefined) open.instances.push(instance);
    else open.documents.push({ uid, title: jsonText(json, TAG.DocumentTitle) ?? open.title });
  }
}

function seriesOf(uid: string, json: DicomJson): Open {
  const number = jsonUnsignedInt(json, TAG.SeriesNumber);
  return {
    uid,
    ...(number === undefined ? {} : { number }),
    modality: jsonText(json, TAG.Modality) ?? '',
    title: jsonText(json, TAG.SeriesDescription) ?? jsonText(json, TAG.ProtocolName) ?? '',
    instances: [],
    documents: [],
  };
}

/** Undefined when the instance has no pictures. */
function instanceOf(uid: string, json: DicomJson): InstanceOutline | undefined {
  const [rows, columns] = [jsonUnsignedInt(json, TAG.Rows), jsonUnsignedInt(json, TAG.Columns)];
  if (!hasPixels(jsonUID(json, TAG.SOPClassUID) ?? '') || !rows || !columns) return undefined;
  const places = [json, ...groupsOf(json)];
  const ofPatient = pairOf(places, TAG.PixelSpacing);
  const spacing = ofPatient ?? pairOf(places, TAG.ImagerPixelSpacing);
  const center = numberIn(places, TAG.WindowCenter);
  const width = numberIn(places, TAG.WindowWidth);
  return {
    uid,
    frames: Math.min(Math.max(jsonUnsignedInt(json, TAG.NumberOfFrames) ?? 1, 1), MOST_FRAMES),
    rows,
    columns,
    ...(spacing === undefined ? {} : { spacing }),
    ...(spacing === undefined || ofPatient !== undefined ? {} : { isAtDetector: true as const }),
    ...(center === undefined || width === undefined || width < 1 ? {} : { window: [center, width] as const }),
    isColour: jsonUnsignedInt(json, TAG.SamplesPerPixel) === 3,
  };
}

/** Items of the functional groups: those of the first frame, then those of all. */
function groupsOf(json: DicomJson): readonly DicomJson[] {
  const frame = [TAG.PerFrameFunctionalGroupsSequence, TAG.SharedFunctionalGroupsSequence].flatMap((tag) =>
    jsonItems(json, tag).slice(0, 1),
  );
  const groups = [TAG.PixelMeasuresSequence, TAG.FrameVOILUTSequence];
  return frame.flatMap((item) => groups.flatMap((tag) => jsonItems(item, tag).slice(0, 1)));
}

function pairOf(places: readonly DicomJson[], tag: number): readonly [number, number] | undefined {
  for (const place of places) {
    const [first, second] = jsonNumbers(place, tag);
    if (first !== undefined && second !== undefined && first > 0 && second > 0) return [first, second];
  }
  return undefined;
}

function numberIn(places: readonly DicomJson[], tag: number): number | undefined {
  for (const place of places) {
    const [number] = jsonNumbers(place, tag);
    if (number !== undefined) return number;
  }
  return undefined;
}
