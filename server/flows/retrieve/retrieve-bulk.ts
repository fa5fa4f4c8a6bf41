/** A requester opens frames or a large value of one instance: WADO-RS frames and bulk data. */
import { DICOM_UID, MEDIA_TYPE } from '../../../profiles/codes.ts';
import { TAG, textOf } from '../../../profiles/dicom/attributes.ts';
import { UNDEFINED_LENGTH, type DicomDataSet, type DicomElement } from '../../../profiles/dicom/data-element.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { ShownInstance } from '../../ports/record-store.ts';
import type { FrameRenderer } from '../../ports/frame-renderer.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { frameBytes, valueBytes, type BulkBytes } from './bulk-bytes.ts';
import { indexElement, indexFrames, pixelDataOf, type FrameIndex } from './frame-index.ts';
import type { GuardDeps, Visit } from '../guard.ts';
import { retrieveInstances, type GrantedInstances } from './retrieve-instances.ts';
import { bytesOf, readHeader } from '../study/stored-data-set.ts';
import type { ViewedPart, Viewings } from './viewings.ts';

/** One instance; the series is checked when it is given. */
export type InstancePlace = {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID?: string;
  readonly sopInstanceUID: string;
};

/** What was found: parts to be read once, in order, each under what holds then. */
export type FoundBulk = {
  readonly row: ShownInstance;
  /** Transfer syntax of frames as they are sent; undefined for a value that is no pixel data. */
  readonly transferSyntaxUID: string | undefined;
  /** Media type that the object gives its encapsulated document. */
  readonly documentType: string | undefined;
  readonly count: number;
  readonly parts: AsyncIterable<BulkBytes>;
  /** The same frames uncompressed, where they are stored otherwise; read once, instead of `parts`. */
  readonly uncompressed?: AsyncIterable<BulkBytes>;
  /** See {@link GrantedInstances}. */
  readonly decideAgain: () => Promise<void>;
};

/** What the flow needs. */
export type RetrieveBulkDeps = GuardDeps & { readonly images: ImageStore };

/** What frames need beside it. */
export type RetrieveFramesDeps = RetrieveBulkDeps & { readonly renderer: FrameRenderer };

/** Indexes of frames that are kept: viewers ask for the frames of one instance one by one. */
const MAX_KEPT_INDEXES = 2_000;
/** Frames of all of them together, where each has a place of its own. */
const MAX_KEPT_FRAMES = 100_000;

/**
 * Finds frames (numbers from 1).
 * @throws {Fault} not-found - no such instance, none that the requester may see, or no such frame
 * @throws {Fault} not-supported - the frames of the instance cannot be told apart
 */
export function retrieveFrames(deps: RetrieveFramesDeps, viewings?: Viewings) {
  const find = findInstance(deps, 'frames', viewings);
  const indexOf = keptIndexes(deps.images);
  return async (visit: Visit, place: InstancePlace, numbers: readonly number[]): Promise<FoundBulk> => {
    const { row, decideAgain } = await find(visit, place, { frames: listed(numbers) });
    const index = await indexOf(row);
    if (numbers.some((number) => number > index.count)) throw new Fault('not-found', 'The instance has no such frame');
    const found = framesOf(deps.images, row, index, numbers, decideAgain);
    if (index.kind === 'native') return found;
    return { ...found, uncompressed: uncompressed(deps.renderer, row, numbers, decideAgain) };
  };
}

/**
 * Finds a value by its path: tags, with item numbers (from 0) between them. Encapsulated pixel data is sent as its
 * frames.
 * @throws {Fault} not-found - no such instance, none that the requester may see, or no such value
 */
export function retrieveBulkData(deps: RetrieveBulkDeps, viewings?: Viewings) {
  const find = findInstance(deps, 'bulk data', viewings);
  return async (visit: Visit, place: InstancePlace, path: readonly string[]): Promise<FoundBulk> => {
    const { row, decideAgain } = await find(visit, place, { bulkdata: path.join('/') });
    const bytes = bytesOf(deps.images, row);
    const { element, dataSet } = elementAt(await readHeader(deps.images, row), path);
    if (element.items !== undefined) throw noValue();
    if (element.length === UNDEFINED_LENGTH) {
      const index = await indexElement(dataSet, element, bytes.read);
      return framesOf(deps.images, row, index, numbersTo(index.count), decideAgain);
    }
    const isPixelData = element === pixelDataOf(dataSet);
    return {
      row,
      transferSyntaxUID: isPixelData ? DICOM_UID.explicitLittleEndian : undefined,
      documentType:
        element.tag === TAG.EncapsulatedDocument
          ? textOf(dataSet, TAG.MIMETypeOfEncapsulatedDocument)?.toLowerCase()
          : undefined,
      count: 1,
      parts: single(valueBytes(element, row.transferSyntaxUID, bytes)),
      decideAgain,
    };
  };
}

type Found = { readonly row: ShownInstance } & Pick<GrantedInstances, 'decideAgain'>;

function findInstance(deps: RetrieveBulkDeps, viewing: ViewedPart, viewings: Viewings | undefined) {
  const retrieve = retrieveInstances(deps, viewings);
  return async (
    visit: Visit,
    { sopInstanceUID, ...study }: InstancePlace,
    detail: Readonly<Record<string, string>>,
  ): Promise<Found> => {
    const rows = await retrieve(visit, {
      ...study,
      sopInstanceUIDs: [sopInstanceUID],
      passage: 'wado',
      viewing,
      omitMetadata: true,
      detail,
    });
    return { row: await firstOf(rows), decideAgain: rows.decideAgain };
  };
}

async function firstOf(rows: AsyncIterable<ShownInstance>): Promise<ShownInstance> {
  for await (const row of rows) return row;
  throw new Fault('not-found', 'No such study, series or instance');
}

/** The last indexes that were asked for, by the random name of the bytes. */
function keptIndexes(images: ImageStore): (row: ShownInstance) => Promise<FrameIndex> {
  const kept = new Map<string, FrameIndex>();
  let frames = 0;
  const drop = (name: string): void => {
    const index = kept.get(name);
    frames -= index === undefined ? 0 : placesOf(index);
    kept.delete(name);
  };
  return async (row) => {
    const { name } = row.blob;
    const index = kept.get(name) ?? (await indexFrames(await readHeader(images, row), bytesOf(images, row).read));
    drop(name);
    kept.set(name, index);
    frames += placesOf(index);
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_KEPT_INDEXES && frames <= MAX_KEPT_FRAMES) break;
      drop(oldest);
    }
    return index;
  };
}

/** Native frames are found by reckoning. */
function placesOf(index: FrameIndex): number {
  return index.kind === 'native' ? 0 : index.count;
}

function framesOf(
  images: ImageStore,
  row: ShownInstance,
  index: FrameIndex,
  numbers: readonly number[],
  decideAgain: () => Promise<void>,
): FoundBulk {
  const bytes = bytesOf(images, row);
  async function* parts(): AsyncGenerator<BulkBytes> {
    for (const number of numbers) {
      await decideAgain();
      yield await frameBytes(index, number - 1, row.transferSyntaxUID, bytes);
    }
  }
  const transferSyntaxUID = index.kind === 'native' ? DICOM_UID.explicitLittleEndian : row.transferSyntaxUID;
  return { row, transferSyntaxUID, documentType: undefined, count: numbers.length, parts: parts(), decideAgain };
}

async function* uncompressed(
  renderer: FrameRenderer,
  { blob, dataSetOffset, transferSyntaxUID }: ShownInstance,
  numbers: readonly number[],
  decideAgain: () => Promise<void>,
): AsyncGenerator<BulkBytes> {
  const instance = { blob, dataSetOffset, transferSyntaxUID };
  for (const frame of numbers) {
    await decideAgain();
    const { bytes } = await renderer.render({ instance, frame, mediaType: MEDIA_TYPE.octets });
    yield { length: bytes.length, pieces: () => [bytes] };
  }
}

async function* single(bytes: BulkBytes): AsyncGenerator<BulkBytes> {
  yield bytes;
}

function elementAt(
  dataSet: DicomDataSet,
  [tag = '', item, ...rest]: readonly string[],
): { element: DicomElement; dataSet: DicomDataSet } {
  const element = /^[0-9A-F]{8}$/.test(tag) ? dataSet.elements.get(Number.parseInt(tag, 16)) : undefined;
  if (element === undefined) throw noValue();
  if (item === undefined) return { element, dataSet };
  const inner = /^\d{1,6}$/.test(item) ? element.items?.[Number(item)] : undefined;
  if (inner === undefined) throw noValue();
  return elementAt(inner, rest);
}

function noValue(): Fault {
  return new Fault('not-found', 'The instance has no such value');
}

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

/** A few numbers as they were asked, many as how many. */
function listed(numbers: readonly number[]): string {
  return numbers.length <= 20 ? numbers.join(',') : `${numbers.length} frames`;
}
