/**
 * Typed access to the attributes of a DICOM JSON data set by tag, as text that FHIR can hold. Whatever a header holds,
 * what is read of it stays small: so many values of an attribute, so many characters of a text. @see DICOM PS3.18 F.2
 */
import { formatTag } from '../data-element.ts';
import type { DicomJson, JsonPersonName, JsonValue } from './json.ts';
import { isUID } from '../uid.ts';

/** Values, names or items that are read of one attribute. */
export const MAX_VALUES = 100;

/** Characters that are kept of a text. */
export const MAX_TEXT_LENGTH = 4096;

/** Characters of an identifier; a longer one would name nothing when cut, and is none. */
export const MAX_IDENTIFIER_LENGTH = 1024;

/** Returns the text values that are not empty; characters that a FHIR string cannot hold become spaces. */
export function jsonTexts(json: DicomJson, tag: number): string[] {
  return readValues(json, tag, MAX_VALUES, toText);
}

/** Returns the first text value that is not empty; undefined when there is none. */
export function jsonText(json: DicomJson, tag: number): string | undefined {
  return readValues(json, tag, 1, toText)[0];
}

/**
 * Returns the first text value that is not empty as an identifier, which is never cut; undefined when there is none.
 */
export function jsonIdentifier(json: DicomJson, tag: number): string | undefined {
  const text = jsonText(json, tag);
  return text !== undefined && text.length <= MAX_IDENTIFIER_LENGTH ? text : undefined;
}

/** Returns the first value when it is a UID, else undefined. */
export function jsonUID(json: DicomJson, tag: number): string | undefined {
  const uid = jsonText(json, tag);
  return uid !== undefined && isUID(uid) ? uid : undefined;
}

/** Returns the first value when FHIR's unsignedInt can hold it, else undefined. */
export function jsonUnsignedInt(json: DicomJson, tag: number): number | undefined {
  const [value] = valuesOf(json, tag);
  return typeof value === 'number' && isUnsignedInt(value) ? value : undefined;
}

/** Returns the values that are numbers, or texts that read as such. */
export function jsonNumbers(json: DicomJson, tag: number): number[] {
  return readValues(json, tag, MAX_VALUES, (value) => {
    const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
    return value === '' || !Number.isFinite(number) ? undefined : number;
  });
}

/** Whether a number is a FHIR unsignedInt. */
export function isUnsignedInt(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 2_147_483_647;
}

/** Returns the person names of a PN, component groups cleaned as {@link jsonTexts} cleans. */
export function jsonPersonNames(json: DicomJson, tag: number): JsonPersonName[] {
  return readValues(json, tag, MAX_VALUES, (value) => (isPersonName(value) ? cleanName(value) : undefined));
}

/** Returns the items of a sequence; empty when it is absent or empty. */
export function jsonItems(json: DicomJson, tag: number): DicomJson[] {
  if (json[formatTag(tag)]?.vr !== 'SQ') return [];
  return readValues(json, tag, MAX_VALUES, (value) => (isObject(value) ? value : undefined));
}

/** Whether FHIR takes a text as a code: no spaces at its ends and none doubled. */
export function isFhirCode(text: string): boolean {
  return /^[^\s]+(?:\s[^\s]+)*$/.test(text);
}

function readValues<T>(json: DicomJson, tag: number, most: number, read: (value: JsonValue) => T | undefined): T[] {
  const found: T[] = [];
  for (const value of valuesOf(json, tag)) {
    const one = read(value);
    if (one !== undefined) found.push(one);
    if (found.length === most) break;
  }
  return found;
}

function valuesOf(json: DicomJson, tag: number): readonly JsonValue[] {
  return json[formatTag(tag)]?.Value ?? [];
}

function toText(value: JsonValue): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? toFhirText(String(value)) || undefined : undefined;
}

/**
 * FHIR strings have spaces, tabs and line ends only (string); DICOM texts of one line need none but spaces. A text that
 * is cut keeps its characters whole.
 */
function toFhirText(text: string): string {
  const kept = text.length > MAX_TEXT_LENGTH ? text.slice(0, MAX_TEXT_LENGTH).replace(/[\uD800-\uDBFF]$/, '') : text;
  return kept.replace(/[\p{Cc}\s]/gu, ' ').trim();
}

function isObject(value: JsonValue): value is DicomJson {
  return typeof value === 'object' && value !== null;
}

function isPersonName(value: JsonValue): value is JsonPersonName {
  return isObject(value) && ('Alphabetic' in value || 'Ideographic' in value || 'Phonetic' in value);
}

function cleanName(name: JsonPersonName): JsonPersonName {
  const groups = Object.entries(name).map(([group, text]) => [group, toFhirText(text)]);
  return Object.fromEntries(groups.filter(([, text]) => text !== ''));
}
