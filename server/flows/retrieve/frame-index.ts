/** Where the frames of a stored instance lie. Its bytes never change, so an index holds as long as the instance. */
import { TAG } from '../../../profiles/dicom/attributes.ts';
import {
  UNDEFINED_LENGTH,
  type DicomDataSet,
  type DicomElement,
  type DicomHeader,
} from '../../../profiles/dicom/data-element.ts';
import {
  framesOfFragments,
  isBeginningOfImage,
  itemLengthAt,
  ITEM_HEADER_BYTES,
  readOffsetTable,
  SIGNATURE_BYTES,
  type Fragment,
} from '../../../profiles/dicom/file/encapsulated.ts';
import { frameCountOf, nativeFramesOf, type NativeFrames } from '../../../profiles/dicom/file/native-frames.ts';
import { Fault } from '../../../profiles/fault.ts';
import { collect, type ReadRange } from '../study/stored-data-set.ts';

/** An index of frames. Offsets are those of the data set. */
export type FrameIndex =
  | { readonly kind: 'native'; readonly count: number; readonly frames: NativeFrames; readonly element: DicomElement }
  /** By an offset table: where the first item of each frame lies. */
  | { readonly kind: 'table'; readonly count: number; readonly starts: readonly number[] }
  | { readonly kind: 'fragments'; readonly count: number; readonly frames: readonly (readonly Fragment[])[] };

/** Most fragments of one instance. */
const MAX_FRAGMENTS = 200_000;
/** An offset table of more frames than this is not read. */
const MAX_TABLE_BYTES = 8 * 1024 * 1024;

/** The first pixel data element of a data set or item; undefined when it has none. */
export function pixelDataOf({ elements }: DicomDataSet): DicomElement | undefined {
  return elements.get(TAG.PixelData) ?? elements.get(TAG.FloatPixelData) ?? elements.get(TAG.DoubleFloatPixelData);
}

/**
 * Indexes the frames of a header.
 * @throws {Fault} not-found - there is no pixel data
 * @throws {Fault} not-supported - the frames cannot be told apart
 */
export async function indexFrames(header: DicomHeader, read: ReadRange): Promise<FrameIndex> {
  const element = pixelDataOf(header);
  if (element === undefined) throw new Fault('not-found', 'The instance has no pixel data');
  return await indexElement(header, element, read);
}

/** Indexes the frames of one pixel data element; `around` is the data set or item that describes them. */
export async function indexElement(around: DicomDataSet, element: DicomElement, read: ReadRange): Promise<FrameIndex> {
  if (element.length !== UNDEFINED_LENGTH) {
    const frames = nativeFramesOf(around, element);
    return { kind: 'native', count: frames.count, frames, element };
  }
  const count = frameCountOf(around);
  const tableLength = await itemLength(read, element.offset);
  if (tableLength === undefined)
    throw new Fault('not-supported', 'The pixel data is empty', { expression: 'PixelData' });
  const tableAt = element.offset + ITEM_HEADER_BYTES;
  const first = tableAt + tableLength;
  const offsets = (await basicTable(read, tableAt, tableLength, count)) ?? (await extendedTable(around, read, count));
  if (offsets !== undefined) return { kind: 'table', count, starts: offsets.map((offset) => first + offset) };
  const fragments = await fragmentsFrom(read, first, { end: Infinity, isSigned: count > 1 });
  return { kind: 'fragments', count, frames: framesOfFragments(fragments, count) };
}

/** The fragments of one frame (from 0). */
export async function fragmentsOf(
  index: Exclude<FrameIndex, { kind: 'native' }>,
  frame: number,
  read: ReadRange,
): Promise<readonly Fragment[]> {
  if (index.kind === 'fragments') return index.frames[frame] ?? [];
  const start = index.starts[frame] ?? 0;
  return await fragmentsFrom(read, start, { end: index.starts[frame + 1] ?? Infinity, isSigned: false });
}

async function basicTable(
  read: ReadRange,
  start: number,
  length: number,
  count: number,
): Promise<readonly number[] | undefined> {
  if (length === 0 || length > MAX_TABLE_BYTES) return undefined;
  return readOffsetTable(await collect(read(start, start + length)), 4, count);
}

async function extendedTable(
  { elements }: DicomDataSet,
  read: ReadRange,
  count: number,
): Promise<readonly number[] | undefined> {
  const table = elements.get(TAG.ExtendedOffsetTable);
  if (table === undefined || table.length > MAX_TABLE_BYTES) return undefined;
  const bytes = table.value ?? (await collect(read(table.offset, table.offset + table.length)));
  return readOffsetTable(bytes, 8, count);
}

/** Goes from item to item, reading no more than their headers and, when asked, how their images begin. */
async function fragmentsFrom(
  read: ReadRange,
  start: number,
  { end, isSigned }: { end: number; isSigned: boolean },
): Promise<readonly Fragment[]> {
  const fragments: Fragment[] = [];
  for (let at = start; at < end;) {
    const header = await collect(read(at, at + ITEM_HEADER_BYTES));
    const length = itemLengthAt(header);
    if (length === undefined) break;
    const value = at + ITEM_HEADER_BYTES;
    const signature = isSigned
      ? await collect(read(value, value + Math.min(length, SIGNATURE_BYTES)))
      : new Uint8Array();
    fragments.push({ start: value, end: value + length, isBeginning: isBeginningOfImage(signature) });
    if (fragments.length > MAX_FRAGMENTS)
      throw new Fault('too-costly', `The pixel data has more than ${MAX_FRAGMENTS} fragments`);
    at = value + length;
  }
  return fragments;
}

async function itemLength(read: ReadRange, at: number): Promise<number | undefined> {
  return itemLengthAt(await collect(read(at, at + ITEM_HEADER_BYTES)));
}
