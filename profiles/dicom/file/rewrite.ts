/**
 * A data set written anew in Explicit VR Little Endian, up to its pixels: for who cannot read what is stored. Values
 * stay as they are, but for their byte order. @see DICOM PS3.5 7.1.2 and A.2, PS3.18 8.7.3.5
 */
import { TAG } from '../attributes.ts';
import { UNDEFINED_LENGTH, type DicomDataSet, type DicomElement } from '../data-element.ts';
import { VALUE_REPRESENTATION, wordBytesOf, type VR } from '../value-representation.ts';

/** Bytes, or where a value lies in the (inflated) data set, and the width of the words that are to be turned round. */
export type RewrittenPart = Uint8Array | ValueRange;

/** A value that is copied from what is stored; of words of one byte nothing is turned. */
export type ValueRange = { readonly start: number; readonly end: number; readonly wordBytes: number };

/** An element that takes the place of the one that is stored, or is added. */
export type ReplacedElement = { readonly vr: VR; readonly value: Uint8Array };

const ITEM = 0xff_fe_e0_00;
const ITEM_END = 0xff_fe_e0_0d;
const SEQUENCE_END = 0xff_fe_e0_dd;
/** A short length field holds no more; such a value is written as UN (PS3.5 6.2.2 note 5). */
const MAX_SHORT_LENGTH = 65_534;
const PIXELS: ReadonlySet<number> = new Set([
  TAG.PixelData,
  TAG.FloatPixelData,
  TAG.DoubleFloatPixelData,
  TAG.ExtendedOffsetTable,
  TAG.ExtendedOffsetTableLengths,
]);

/** Bytes of a number of a VR, which a big endian data set turns round; texts have none. */
const NUMBER_BYTES: Partial<Record<VR, number>> = { AT: 2, FD: 8, FL: 4, SL: 4, SS: 2, SV: 8, UL: 4, US: 2, UV: 8 };

/**
 * Writes the elements of a data set, its pixels and group lengths left out. `replaced` is by tag; its elements come
 * where their tags belong.
 */
export function* rewritten(
  { elements }: DicomDataSet,
  replaced: ReadonlyMap<number, ReplacedElement> = new Map(),
): Generator<RewrittenPart> {
  const tags = [...new Set([...elements.keys(), ...replaced.keys()])].toSorted((a, b) => a - b);
  for (const tag of tags) {
    const other = replaced.get(tag);
    if (other !== undefined) {
      yield headerOf(tag, other.vr, other.value.length);
      yield other.value;
      continue;
    }
    const element = elements.get(tag);
    if (element === undefined || PIXELS.has(tag) || (tag & 0xff_ff) === 0) continue;
    yield* rewrittenElement(element);
  }
}

/** Formats the header of an element. A length that does not fit is written under UN. */
export function headerOf(tag: number, vr: VR, length: number): Uint8Array {
  const written = VALUE_REPRESENTATION[vr].hasLongLength || length <= MAX_SHORT_LENGTH ? vr : 'UN';
  const isLong = VALUE_REPRESENTATION[written].hasLongLength;
  const header = Buffer.alloc(isLong ? 12 : 8);
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xff_ff, 2);
  header.write(written, 4, 'latin1');
  if (isLong) header.writeUInt32LE(length, 8);
  else header.writeUInt16LE(length, 6);
  return header;
}

function* rewrittenElement(element: DicomElement): Generator<RewrittenPart> {
  const { tag, vr, length, items } = element;
  if (items !== undefined) {
    // An icon whose pixels are compressed has no place in a data set whose pixels are not.
    if (!items.some(hasFragments)) yield* rewrittenSequence(tag, items);
    return;
  }
  if (length === UNDEFINED_LENGTH) return;
  yield headerOf(tag, vr, length);
  yield* valueOf(element);
}

function* rewrittenSequence(tag: number, items: readonly DicomDataSet[]): Generator<RewrittenPart> {
  yield headerOf(tag, 'SQ', UNDEFINED_LENGTH);
  for (const item of items) {
    yield delimiter(ITEM, UNDEFINED_LENGTH);
    yield* rewrittenItem(item);
    yield delimiter(ITEM_END, 0);
  }
  yield delimiter(SEQUENCE_END, 0);
}

/** Unlike a data set, an item may hold pixels: those of an icon. */
function* rewrittenItem({ elements }: DicomDataSet): Generator<RewrittenPart> {
  for (const element of elements.values()) if ((element.tag & 0xff_ff) !== 0) yield* rewrittenElement(element);
}

/** The value of an element without items in little endian: bytes, or where they lie. */
export function* valueOf({ vr, value, offset, length, littleEndian }: DicomElement): Generator<RewrittenPart> {
  const wordBytes = littleEndian ? 1 : (NUMBER_BYTES[vr] ?? wordBytesOf(vr));
  if (value === undefined || wordBytes > 1) return yield { start: offset, end: offset + length, wordBytes };
  yield value;
}

function hasFragments({ elements }: DicomDataSet): boolean {
  return [...elements.values()].some(
    ({ length, items }) => (items === undefined && length === UNDEFINED_LENGTH) || (items ?? []).some(hasFragments),
  );
}

function delimiter(tag: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(tag >>> 16, 0);
  bytes.writeUInt16LE(tag & 0xff_ff, 2);
  bytes.writeUInt32LE(length, 4);
  return bytes;
}
