/** The DICOM JSON model of a header. @see DICOM PS3.18 Annex F */
import type { DicomDataSet, DicomElement } from './data-element.ts';
import { formatTag } from './data-element.ts';
import { TAG } from './attributes.ts';
import { numbersIn, textsIn } from './element-values.ts';
import { JsonCost } from './json-cost.ts';
import type { KnownAttributes } from './known-attributes.ts';
import { VALUE_REPRESENTATION, wordBytesOf } from './value-representation.ts';
import type { VR } from './value-representation.ts';

/** A person name by component group (F.2.2). */
export type JsonPersonName = { Alphabetic?: string; Ideographic?: string; Phonetic?: string };

/** A value; null stands for an empty one among several (F.2.5). */
export type JsonValue = string | number | null | JsonPersonName | DicomJson;

/** An attribute: at most one of `Value`, `InlineBinary` and `BulkDataURI`; none when it is empty. */
export type JsonAttribute = { vr: VR; Value?: JsonValue[]; InlineBinary?: string; BulkDataURI?: string };

/** A data set: attributes by tag, eight upper-case hexadecimal digits, in ascending order. */
export type DicomJson = { [tag: string]: JsonAttribute };

/**
 * Names the place of a bulk value. `path` is the tag and item index of each sequence around it, then its own tag,
 * as `['52009230', 0, '7FE00010']` (item indexes from 0). Undefined leaves the attribute without a value.
 */
export type BulkDataURI = (path: readonly (string | number)[], element: DicomElement) => string | undefined;

/**
 * Returns the JSON model of a data set. Each `vr` is the one by which the value is read. Text is Unicode, so
 * SpecificCharacterSet becomes ISO_IR 192; group lengths are left out (group 0002 is never in a data set); IS and DS
 * are numbers where they can be read as such.
 * @throws {Fault} too-costly - more values than a header has
 */
export function toDicomJson(dataSet: DicomDataSet, bulkDataURI: BulkDataURI = () => undefined): DicomJson {
  return toJson(dataSet, { bulkDataURI, cost: new JsonCost(), path: [] });
}

/**
 * Returns {@link toDicomJson} as text, attributes in ascending order. `known` spares the work that was done for the
 * instance before.
 * @throws {Fault} too-costly - more values than a header has
 */
export function writeDicomJson(dataSet: DicomDataSet, bulkDataURI: BulkDataURI, known: KnownAttributes): string {
  const making: Making = { bulkDataURI, cost: new JsonCost(), path: [] };
  known.readAs(dataSet);
  const attributes: string[] = [];
  for (const element of inOrder(dataSet)) if (!isGroupLength(element)) attributes.push(writeAttribute(element, dataSet, making, known));
  return `{${attributes.join(',')}}`;
}

/** What holds for the whole header, and the path to where the making is. */
type Making = { readonly bulkDataURI: BulkDataURI; readonly cost: JsonCost; readonly path: (string | number)[] };

function toJson(dataSet: DicomDataSet, making: Making): DicomJson {
  const json: DicomJson = {};
  for (const element of inOrder(dataSet)) {
    if (isGroupLength(element)) continue;
    const tag = formatTag(element.tag);
    making.path.push(tag);
    json[tag] = toAttribute(element, dataSet, making);
    making.path.pop();
  }
  return json;
}

function writeAttribute(element: DicomElement, dataSet: DicomDataSet, making: Making, known: KnownAttributes): string {
  const { tag, vr, value } = element;
  const standing = value === undefined ? undefined : known.find(element, value);
  if (value !== undefined && standing !== undefined) {
    making.cost.spend(vr, value);
    return standing;
  }
  making.path.push(formatTag(tag));
  const text = `"${formatTag(tag)}":${JSON.stringify(toAttribute(element, dataSet, making))}`;
  making.path.pop();
  if (value !== undefined) known.keep(element, value, text);
  return text;
}

function isGroupLength({ tag }: DicomElement): boolean {
  return (tag & 0xff_ff) === 0;
}

function toItems(items: readonly DicomDataSet[], making: Making): DicomJson[] {
  return items.map((item, index) => {
    making.path.push(index);
    const json = toJson(item, making);
    making.path.pop();
    return json;
  });
}

/** Writers put elements in ascending order, but for some. */
function inOrder({ elements }: DicomDataSet): Iterable<DicomElement> {
  return isAscending(elements.keys()) ? elements.values() : [...elements.values()].toSorted((a, b) => a.tag - b.tag);
}

function isAscending(tags: Iterable<number>): boolean {
  let last = -1;
  for (const tag of tags) {
    if (tag < last) return false;
    last = tag;
  }
  return true;
}

function toAttribute(element: DicomElement, dataSet: DicomDataSet, making: Making): JsonAttribute {
  const { vr, items, value } = element;
  if (items !== undefined) return withValue(vr, toItems(items, making));
  if (value === undefined) {
    const uri = making.bulkDataURI([...making.path], element);
    return uri === undefined ? { vr } : { vr, BulkDataURI: uri };
  }
  making.cost.spend(vr, value);
  if (element.tag === TAG.SpecificCharacterSet) return { vr, Value: ['ISO_IR 192'] };
  if (VALUE_REPRESENTATION[vr].form !== 'binary') return withValue(vr, toValues(element, value, dataSet));
  return value.length === 0 ? { vr } : { vr, InlineBinary: toBase64(value, vr, element.littleEndian) };
}

function withValue(vr: VR, values: JsonValue[]): JsonAttribute {
  return values.every((value) => value === null) ? { vr } : { vr, Value: values };
}

function toValues({ vr, littleEndian }: DicomElement, value: Uint8Array, dataSet: DicomDataSet): JsonValue[] {
  if (vr === 'AT') return numbersIn(vr, value, littleEndian).map((tag) => formatTag(Number(tag)));
  if (VALUE_REPRESENTATION[vr].form === 'numeric') return numbersIn(vr, value, littleEndian).map(toNumber);
  const texts = textsIn(vr, value, dataSet);
  if (vr === 'PN') return texts.map(toPersonName);
  if (vr === 'IS' || vr === 'DS') return texts.map(toDecimal);
  return texts.map((text) => (text === '' ? null : text));
}

/** What JSON numbers cannot hold (64-bit integers beyond 2^53, NaN, infinities) is a string. */
function toNumber(value: number | bigint): string | number {
  const number = Number(value);
  const isExact = typeof value === 'bigint' ? Number.isSafeInteger(number) : Number.isFinite(number);
  return isExact ? number : String(value);
}

/** Far longer than IS and DS are; a longer text is not even looked at as a number. */
const MAX_DECIMAL_LENGTH = 64;

function toDecimal(text: string): string | number | null {
  if (text === '') return null;
  if (text.length > MAX_DECIMAL_LENGTH) return text;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? toNumber(Number(text)) : text;
}

function toPersonName(text: string): JsonPersonName | null {
  const [alphabetic, ideographic, phonetic] = text.split('=', 3).map(withoutEmptyEnd);
  const name = {
    ...(alphabetic ? { Alphabetic: alphabetic } : {}),
    ...(ideographic ? { Ideographic: ideographic } : {}),
    ...(phonetic ? { Phonetic: phonetic } : {}),
  };
  return Object.keys(name).length === 0 ? null : name;
}

/** Components that are empty are not written at the end. A pattern would look at each caret again and again. */
function withoutEmptyEnd(group: string): string {
  let end = group.length;
  while (end > 0 && (group[end - 1] === '^' || group[end - 1] === ' ')) end -= 1;
  return group.slice(0, end);
}

/** Words of a big endian data set are turned round: InlineBinary is little endian (F.2.7). */
function toBase64(value: Uint8Array, vr: VR, littleEndian: boolean): string {
  const width = wordBytesOf(vr);
  if (littleEndian || width === 1) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
  const turned = Buffer.from(value);
  for (let at = 0; at + width <= turned.length; at += width) turned.subarray(at, at + width).reverse();
  return turned.toString('base64');
}
