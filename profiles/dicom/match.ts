/** Attribute matching on DICOM JSON. @see DICOM PS3.4 section C.2.2.2 */
import { normalizeString } from '../search/values.ts';
import { TAG } from './attributes.ts';
import { formatTag } from './data-element.ts';
import type { DicomJson, JsonAttribute, JsonPersonName, JsonValue } from './json/json.ts';

/** A matching key: tags from the outermost sequence to the attribute, and the value as it was asked. */
export type MatchKey = { readonly path: readonly number[]; readonly value: string };

/** Value representations whose keys may list alternatives, separated by a comma or a backslash. */
const LISTED: ReadonlySet<string> = new Set(['UI', 'CS']);

/** Whether a value matches everything, so that its key asks for nothing (C.2.2.2.3). */
export function isUniversal(value: string): boolean {
  return /^\**$/.test(value.trim());
}

/**
 * Whether a data set has the value of a key: single values, lists of UIDs and codes, wildcards, and ranges of dates and
 * times. Names are compared without case and diacritics. An attribute that is absent or empty matches the universal key
 * only.
 */
export function matchesKey(json: DicomJson, { path, value }: MatchKey): boolean {
  if (isUniversal(value)) return true;
  const [tag, ...inner] = path;
  const attribute = tag === undefined ? undefined : json[formatTag(tag)];
  if (attribute === undefined) return false;
  const values = attribute.Value ?? [];
  if (inner.length > 0) return values.some((item) => isDataSet(item) && matchesKey(item, { path: inner, value }));
  return values.some((one) => one !== null && matchesValue(attribute.vr, one, value.trim()));
}

function matchesValue(vr: JsonAttribute['vr'], value: Exclude<JsonValue, null>, key: string): boolean {
  switch (vr) {
    case 'DA':
    case 'TM':
      return isWithin(digitsOf(String(value)), key);
    case 'IS':
    case 'DS':
      return Number(value) === Number(key);
    case 'PN':
      return (
        isPersonName(value) &&
        Object.values(value).some((group) => matchesPattern(normalizeString(group), normalizeString(key)))
      );
    default:
      return (LISTED.has(vr) ? key.split(/[,\\]/) : [key]).some((pattern) =>
        matchesPattern(String(value), pattern.trim()),
      );
  }
}

/** Compares with a date or time, or a range of them: digits missing at the end of a bound are its whole extent. */
function isWithin(value: string, key: string): boolean {
  const [first = '', last = first, ...others] = key.split('-').map(digitsOf);
  if (others.length > 0 || value === '') return false;
  const isAfter = first === '' || value.padEnd(first.length, '0') >= first;
  return isAfter && (last === '' || value.padEnd(last.length, '0').slice(0, last.length) <= last);
}

function digitsOf(text: string): string {
  return text.replaceAll(/[^\d.]/g, '');
}

/** What the index itself says of an instance, to be matched without its header. */
export function keysOfInstance(instance: {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly instanceNumber: number | undefined;
}): DicomJson {
  const { sopClassUID, sopInstanceUID, instanceNumber } = instance;
  return {
    [formatTag(TAG.SOPClassUID)]: { vr: 'UI', Value: [sopClassUID] },
    [formatTag(TAG.SOPInstanceUID)]: { vr: 'UI', Value: [sopInstanceUID] },
    [formatTag(TAG.InstanceNumber)]: { vr: 'IS', ...(instanceNumber === undefined ? {} : { Value: [instanceNumber] }) },
  };
}

/** `*` is any text, `?` any character. Goes back to the last `*` only, so the work is at most length times length. */
export function matchesPattern(text: string, pattern: string): boolean {
  const [characters, signs] = [[...text], [...pattern]];
  let [at, to, star, from] = [0, 0, -1, 0];
  while (at < characters.length) {
    if (signs[to] === '*') [star, from, to] = [to, at, to + 1];
    else if (to < signs.length && (signs[to] === '?' || signs[to] === characters[at])) [at, to] = [at + 1, to + 1];
    else if (star >= 0) [from, at, to] = [from + 1, from + 1, star + 1];
    else return false;
  }
  while (signs[to] === '*') to += 1;
  return to === signs.length;
}

function isDataSet(value: JsonValue): value is DicomJson {
  return typeof value === 'object' && value !== null;
}

function isPersonName(value: JsonValue): value is JsonPersonName {
  return isDataSet(value);
}
