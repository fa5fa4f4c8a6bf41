/**
 * Writes a small DICOM data set as explicit VR little endian, with sequences of explicit length. The same
 * input always gives the same bytes. @see DICOM PS3.5 section 7
 */
import { Fault } from '../../profiles/fault.ts';

/** Value representations this writer knows, with what a value must look like. Text is UTF-8 (ISO_IR 192). */
const VALUE_FORM = {
  AE: /^[\x21-\x5b\x5d-\x7e][\x20-\x5b\x5d-\x7e]{0,15}$/,
  CS: /^[A-Z0-9 _]{1,16}(\\[A-Z0-9 _]{1,16})*$/,
  DA: /^\d{8}$/,
  IS: /^[+-]?\d{1,11}$/,
  LO: /^[^\\\p{Cc}]+$/u,
  PN: /^[^\\\p{Cc}]+$/u,
  SH: /^[^\\\p{Cc}]+$/u,
  TM: /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/,
  // A component with leading zeros is not allowed, but devices make them and a reference must repeat it.
  UI: /^(?=.{1,64}$)\d+(\.\d+)*$/,
  UR: /^[\x21-\x5b\x5d-\x7e]+$/,
  UT: /^[^\0]+$/,
} as const;

const LONG_FORM: ReadonlySet<string> = new Set(['SQ', 'UR', 'UT']);
const MAX_SHORT_LENGTH = 0xfffe;

/** A value representation that holds text. */
export type TextVR = keyof typeof VALUE_FORM;

/** One element of a data set, ready to be written. The tag is `0xGGGGEEEE`. */
export type DataElement = { readonly tag: number; readonly vr: string; readonly value: Buffer };

/**
 * Makes an element of text; an undefined or empty value makes an element of zero length (type 2).
 * @throws {Fault} invalid - the value does not fit the VR; the tag is named, the value is not
 */
export function textElement(tag: number, vr: TextVR, value: string | undefined): DataElement {
  if (value !== undefined && value !== '' && !VALUE_FORM[vr].test(value)) {
    throw new Fault('invalid', `A value of ${formatTag(tag)} does not fit ${vr}`, { expression: formatTag(tag) });
  }
  const bytes = Buffer.from(value ?? '');
  const pad = vr === 'UI' ? Buffer.of(0) : Buffer.from(' ');
  return { tag, vr, value: bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, pad]) };
}

/** Makes a sequence of items; no items make an empty sequence. */
export function sequenceElement(tag: number, items: readonly (readonly DataElement[])[]): DataElement {
  return { tag, vr: 'SQ', value: Buffer.concat(items.flatMap(writeItem)) };
}

/** Writes the elements in the order of their tags. @throws {Fault} invalid - a tag twice, or a value too long */
export function writeDataset(elements: readonly DataElement[]): Buffer {
  const sorted = elements.toSorted((one, other) => one.tag - other.tag);
  const repeated = sorted.find(({ tag }, index) => tag === sorted[index + 1]?.tag);
  if (repeated !== undefined) throw new Fault('invalid', `The data set holds ${formatTag(repeated.tag)} twice`);
  return Buffer.concat(sorted.flatMap((element) => [writeHeader(element), element.value]));
}

function writeItem(elements: readonly DataElement[]): Buffer[] {
  const content = writeDataset(elements);
  return [Buffer.of(0xfe, 0xff, 0x00, 0xe0), uint32(content.length), content];
}

function writeHeader({ tag, vr, value }: DataElement): Buffer {
  const header = Buffer.alloc(LONG_FORM.has(vr) ? 12 : 8);
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xffff, 2);
  header.write(vr, 4, 'latin1');
  if (LONG_FORM.has(vr)) {
    header.writeUInt32LE(value.length, 8);
    return header;
  }
  if (value.length > MAX_SHORT_LENGTH) throw new Fault('invalid', `A value of ${formatTag(tag)} is too long`);
  header.writeUInt16LE(value.length, 6);
  return header;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function formatTag(tag: number): string {
  const hex = tag.toString(16).padStart(8, '0').toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}
