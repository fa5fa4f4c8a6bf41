/** Typed access to the attributes of a DICOM JSON data set by tag, as text that FHIR can hold. @see DICOM PS3.18 F.2 */
import { oidUri } from '../codes.ts';
import { TAG } from './attributes.ts';
import { formatTag } from './data-element.ts';
import type { DicomJson, JsonPersonName, JsonValue } from './json.ts';
import { isUID } from './uid.ts';

/** Returns the text values that are not empty; characters that a FHIR string cannot hold become spaces. */
export function jsonTexts(json: DicomJson, tag: number): string[] {
  return valuesOf(json, tag)
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .map((value) => toFhirText(String(value)))
    .filter((text) => text !== '');
}

/** Returns the first text value that is not empty; undefined when there is none. */
export function jsonText(json: DicomJson, tag: number): string | undefined {
  return jsonTexts(json, tag)[0];
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

/** Whether a number is a FHIR unsignedInt. */
export function isUnsignedInt(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 2_147_483_647;
}

/** Returns the person names of a PN, component groups cleaned as {@link jsonTexts} cleans. */
export function jsonPersonNames(json: DicomJson, tag: number): JsonPersonName[] {
  return valuesOf(json, tag).filter(isPersonName).map(cleanName);
}

/** Returns the items of a sequence; empty when it is absent or empty. */
export function jsonItems(json: DicomJson, tag: number): DicomJson[] {
  if (json[formatTag(tag)]?.vr !== 'SQ') return [];
  return valuesOf(json, tag).filter(isObject);
}

/**
 * Returns the system of an identifier whose issuer is an OID, as `urn:oid:`: the UniversalEntityID of type ISO in the
 * first item of an issuer's sequence; undefined when it names none.
 * @see DICOM PS3.3 table 10-17
 */
export function issuerSystemOf(json: DicomJson, sequenceTag: number): string | undefined {
  const [issuer] = jsonItems(json, sequenceTag);
  if (issuer === undefined || jsonText(issuer, TAG.UniversalEntityIDType) !== 'ISO') return undefined;
  const oid = jsonText(issuer, TAG.UniversalEntityID);
  return oid !== undefined && OID.test(oid) ? oidUri(oid) : undefined;
}

/** Whether FHIR takes a text as a code: no spaces at its ends and none doubled. */
export function isFhirCode(text: string): boolean {
  return /^[^\s]+(?:\s[^\s]+)*$/.test(text);
}

const OID = /^[0-2](?:\.(?:0|[1-9]\d*))+$/;

function valuesOf(json: DicomJson, tag: number): readonly JsonValue[] {
  return json[formatTag(tag)]?.Value ?? [];
}

/** FHIR strings have spaces, tabs and line ends only (string); DICOM texts of one line need none but spaces. */
function toFhirText(text: string): string {
  return text.replace(/[\p{Cc}\s]/gu, ' ').trim();
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
