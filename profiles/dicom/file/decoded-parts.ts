/**
 * What a data set says, as bytes that do not depend on how it is encoded: two instances are the same when these parts
 * are. Lengths of sequences and items (known or delimited), group lengths, trailing padding, the byte order, and the VR
 * that is or is not written beside a tag are left out. @see DICOM PS3.5 6.2, 7.2, 7.3, 7.5, PS3.10 7.2
 */
import { Fault } from '../../fault.ts';
import { DICOM_UID } from '../../codes.ts';
import { scanHeader } from '../dataset.ts';
import { UNDEFINED_LENGTH, type DicomDataSet, type DicomElement } from '../data-element.ts';
import { VALUE_REPRESENTATION, vrOfTag } from '../value-representation.ts';
import { headerOf, valueOf, type ValueRange } from './rewrite.ts';

/**
 * Bytes; where a value lies in the (inflated) data set; where the fragments of encapsulated pixels begin; or a value
 * whose VR nobody knows, which may be a sequence ({@link decodedSequence}).
 */
export type DecodedPart =
  Uint8Array | ValueRange | { readonly fragments: number } | { readonly unknown: ValueRange; readonly tag: number };

/** Data Set Trailing Padding. */
const TRAILING_PADDING = 0xff_fc_ff_fc;
/** ContentSequence: any sequence of the dictionary would do. */
const SOME_SEQUENCE = 0x00_40_a7_30;
const SPACE = 0x20;

const KIND = { value: 1, sequence: 2, item: 3, itemEnd: 4, sequenceEnd: 5, fragments: 6 } as const;

/** The parts of a data set or item, in the order in which its elements come. */
export function* decodedParts({ elements }: DicomDataSet): Generator<DecodedPart> {
  for (const element of elements.values()) {
    const isLength = (element.tag & 0xff_ff) === 0;
    if (!isLength && element.tag !== TRAILING_PADDING) yield* elementParts(element);
  }
}

/** The mark before a value of known length. */
export function valueMark(tag: number, length: number): Uint8Array {
  return mark(KIND.value, tag, length);
}

/**
 * The sequence that a value of an unknown VR holds: whole items, in Implicit VR Little Endian (PS3.5 6.2.2). Undefined
 * when it is none.
 */
export function decodedSequence(tag: number, value: Uint8Array): Iterable<DecodedPart> | undefined {
  const [first, second, third, fourth] = value;
  if (first !== 0xfe || second !== 0xff || third !== 0x00 || fourth !== 0xe0) return undefined;
  try {
    const bytes = Buffer.concat([implicitHeader(SOME_SEQUENCE, value.length), value]);
    const header = scanHeader(bytes, DICOM_UID.implicitLittleEndian, { isWhole: true });
    const items = header === 'incomplete' ? undefined : header.elements.get(SOME_SEQUENCE)?.items;
    return items === undefined ? undefined : [...sequenceParts(tag, items, bytes)];
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function* elementParts(element: DicomElement): Generator<DecodedPart> {
  const { tag, vr, length, offset, items, value } = element;
  if (items !== undefined) return yield* sequenceParts(tag, items);
  if (length === UNDEFINED_LENGTH) {
    yield mark(KIND.fragments, tag, 0);
    return yield { fragments: offset };
  }
  if (vr === 'UN' && length > 0) return yield { unknown: { start: offset, end: offset + length, wordBytes: 1 }, tag };
  if (value !== undefined && isText(tag)) {
    const text = withoutPadding(value);
    yield valueMark(tag, text.length);
    return yield text;
  }
  yield valueMark(tag, length);
  yield* valueOf(element);
}

/** Without items a sequence is as any other empty value. `within` has the bytes that ranges are of. */
function* sequenceParts(tag: number, items: readonly DicomDataSet[], within?: Uint8Array): Generator<DecodedPart> {
  if (items.length === 0) return yield valueMark(tag, 0);
  yield mark(KIND.sequence, tag, 0);
  for (const item of items) {
    yield mark(KIND.item, tag, 0);
    yield* within === undefined ? decodedParts(item) : withBytes(decodedParts(item), within);
    yield mark(KIND.itemEnd, tag, 0);
  }
  yield mark(KIND.sequenceEnd, tag, 0);
}

/** Resolves ranges of bytes that are at hand. Such a data set is little endian, and has no fragments to speak of. */
function* withBytes(parts: Iterable<DecodedPart>, bytes: Uint8Array): Generator<DecodedPart> {
  for (const part of parts) {
    if (part instanceof Uint8Array) yield part;
    else if ('fragments' in part) yield bytes.subarray(part.fragments);
    else if ('unknown' in part) yield* unknownParts(part.tag, bytes.subarray(part.unknown.start, part.unknown.end));
    else yield bytes.subarray(part.start, part.end);
  }
}

/** A value of an unknown VR that is at hand. */
export function unknownParts(tag: number, value: Uint8Array): Iterable<DecodedPart> {
  return decodedSequence(tag, value) ?? [valueMark(tag, value.length), value];
}

/** By the dictionary alone: what is private has no VR in an implicit data set. */
function isText(tag: number): boolean {
  return (tag & 0x1_00_00) === 0 && VALUE_REPRESENTATION[vrOfTag(tag, false)].form === 'text';
}

/** A text ends with a space or NUL where its length would be odd, and what writes it on may add or leave them. */
function withoutPadding(value: Uint8Array): Uint8Array {
  let end = value.length;
  while (end > 0 && (value[end - 1] === SPACE || value[end - 1] === 0)) end -= 1;
  return value.subarray(0, end);
}

function mark(kind: number, tag: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt32BE(tag, 1);
  bytes.writeUInt32BE(length, 5);
  return bytes;
}

function implicitHeader(tag: number, length: number): Uint8Array {
  const header = Buffer.from(headerOf(tag, 'SQ', 0).subarray(0, 8));
  header.writeUInt32LE(length, 4);
  return header;
}
