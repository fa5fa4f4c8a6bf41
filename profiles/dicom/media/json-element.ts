/** Elements of the DICOM JSON model written anew: Explicit VR Little Endian, texts in UTF-8. @see PS3.5 7, PS3.18 F */
import { formatTag } from '../data-element.ts';
import { headerOf } from '../file/rewrite.ts';
import type { DicomJson, JsonAttribute, JsonPersonName, JsonValue } from '../json/json.ts';
import { VALUE_REPRESENTATION, type VR } from '../value-representation.ts';

/** An element that is made here. Texts are joined already; a number is written as its VR has it. */
export type MadeElement = { readonly tag: number; readonly vr: VR; readonly value: string | number };

const ITEM = Buffer.of(0xfe, 0xff, 0x00, 0xe0);

/** Bytes of the numbers that are written. */
const NUMBER_BYTES: Partial<Record<VR, 2 | 4>> = { US: 2, UL: 4 };

/** Writes an element. */
export function writeElement({ tag, vr, value }: MadeElement): Buffer {
  return framed(tag, vr, typeof value === 'number' ? numberBytes(vr, [value]) : textBytes(vr, value));
}

/**
 * Writes an attribute of a data set, with its items; undefined where the data set lacks it, or has it in a form that
 * no directory record repeats: bytes, and numbers that are neither US nor UL.
 */
export function writeAttribute(json: DicomJson, tag: number): Buffer | undefined {
  const attribute = json[formatTag(tag)];
  const value = attribute === undefined ? undefined : valueOf(attribute);
  return attribute === undefined || value === undefined ? undefined : framed(tag, attribute.vr, value);
}

/** Writes an item of elements that are written already, its length known. */
export function writeItem(elements: readonly Uint8Array[]): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(elements.reduce((sum, element) => sum + element.length, 0));
  return Buffer.concat([ITEM, length, ...elements]);
}

function framed(tag: number, vr: VR, value: Buffer): Buffer {
  return Buffer.concat([headerOf(tag, vr, value.length), value]);
}

function valueOf({ vr, Value: values = [] }: JsonAttribute): Buffer | undefined {
  if (vr === 'SQ') return Buffer.concat(values.map((item) => writeItem(elementsOf(item as DicomJson))));
  if (NUMBER_BYTES[vr] !== undefined) return numberBytes(vr, values.map(Number));
  if (VALUE_REPRESENTATION[vr].form !== 'text') return undefined;
  return textBytes(vr, values.map(textOf).join('\\'));
}

function elementsOf(item: DicomJson): readonly Buffer[] {
  const tags = Object.keys(item).toSorted();
  return tags.flatMap((tag) => writeAttribute(item, Number.parseInt(tag, 16)) ?? []);
}

function textOf(value: JsonValue): string {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  const { Alphabetic = '', Ideographic = '', Phonetic = '' } = value as JsonPersonName;
  return [Alphabetic, Ideographic, Phonetic].join('=').replace(/=+$/, '');
}

function textBytes(vr: VR, text: string): Buffer {
  const bytes = Buffer.from(text);
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
}

function numberBytes(vr: VR, numbers: readonly number[]): Buffer {
  const width = NUMBER_BYTES[vr] ?? 4;
  const bytes = Buffer.alloc(numbers.length * width);
  for (const [at, number] of numbers.entries()) bytes.writeUIntLE(number, at * width, width);
  return bytes;
}
