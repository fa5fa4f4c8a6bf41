/** Values of FHIR elements as index entries. */
import type { TypedValue } from '@medplum/core';
import type {
  Address,
  CodeableConcept,
  Coding,
  ContactPoint,
  HumanName,
  Identifier,
  Period,
  Reference,
  Timing,
} from '@medplum/fhirtypes';
import { parseDateRange, periodRange } from './date-range.ts';
import type { SearchParameterEntry } from './parameters.ts';

/** Index entries that grow while a resource is read. */
export type Entries = {
  readonly tokens: { param: string; system: string; value: string }[];
  readonly references: { param: string; target: string }[];
  readonly dates: { param: string; lo: number; hi: number }[];
  readonly strings: { param: string; value: string }[];
};

/** Longest value that is indexed, in characters; longer tokens and references are left out, strings are cut. */
export const MAX_INDEXED_LENGTH = 2048;

/**
 * The form in which strings are compared: lower case, without diacritics, runs of white space as one space.
 * @see https://hl7.org/fhir/R4/search.html#string
 */
export function normalizeString(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/\s+/g, ' ').trim();
}

/** Adds the entries of one value of a parameter. A value of a type that the parameter cannot have adds nothing. */
export function addEntries(entries: Entries, entry: SearchParameterEntry, { type, value }: TypedValue): void {
  if (value === undefined || value === null) return;
  switch (entry.type) {
    case 'token':
    case 'uri':
      return addTokens(entries, entry.code, type, value);
    case 'reference':
      return addReference(entries, entry, value);
    case 'date':
      return addDate(entries, entry.code, type, value);
    case 'string':
      return addStrings(entries, entry.code, type, value);
  }
}

// Values come typed by FHIRPath over a validated resource, so the casts below hold by `type`.
function addTokens(entries: Entries, param: string, type: string, value: unknown): void {
  switch (type) {
    case 'Identifier': {
      const { system, value: text } = value as Identifier;
      return addToken(entries, param, system, text);
    }
    case 'CodeableConcept':
      for (const coding of (value as CodeableConcept).coding ?? [])
        addToken(entries, param, coding.system, coding.code);
      return;
    case 'Coding': {
      const { system, code } = value as Coding;
      return addToken(entries, param, system, code);
    }
    case 'ContactPoint': {
      const { system, value: text } = value as ContactPoint;
      return addToken(entries, param, system, text);
    }
    default:
      if (typeof value === 'string' || typeof value === 'boolean') addToken(entries, param, '', String(value));
  }
}

/** Adds a token unless it is empty or too long to be asked for. */
export function addToken(entries: Entries, param: string, system = '', value = ''): void {
  if ((system === '' && value === '') || system.length + value.length > MAX_INDEXED_LENGTH) return;
  entries.tokens.push({ param, system, value });
}

function addReference(entries: Entries, entry: SearchParameterEntry, value: unknown): void {
  const { code, targets, needsType } = entry;
  // A canonical is the address itself.
  const { reference, identifier, type } = typeof value === 'string' ? { reference: value } : (value as Reference);
  const target = reference === undefined ? undefined : targetOf(reference);
  // `patient` is the one parameter that is narrower than its element: a subject that is a device is no patient.
  const isNarrow = code === 'patient';
  const named = target === undefined ? type : typeOf(target);
  const isKnown = named !== undefined || needsType === true;
  if (isNarrow && isKnown && !targets?.some((wanted) => wanted === named)) return;
  if (target !== undefined && target.length <= MAX_INDEXED_LENGTH) entries.references.push({ param: code, target });
  if (identifier !== undefined) addToken(entries, `${code}:identifier`, identifier.system, identifier.value);
}

/** The indexed form of a literal reference: without version; undefined for one into the resource itself. */
export function targetOf(reference: string): string | undefined {
  if (reference === '' || reference.startsWith('#')) return undefined;
  return reference.replace(/\/_history\/[^/]*$/, '');
}

function typeOf(target: string): string | undefined {
  return /(?:^|\/)([A-Z][A-Za-z]+)\/[^/]+$/.exec(target)?.[1];
}

function addDate(entries: Entries, param: string, type: string, value: unknown): void {
  const range = rangeOf(type, value);
  if (range !== undefined) entries.dates.push({ param, lo: range.lo, hi: range.hi });
}

/** A Timing counts by its outer limits. @see https://hl7.org/fhir/R4/search.html#date */
function rangeOf(type: string, value: unknown): { readonly lo: number; readonly hi: number } | undefined {
  if (type === 'Period') {
    const { start, end } = value as Period;
    return periodRange(start, end);
  }
  if (type !== 'Timing') return typeof value === 'string' ? parseDateRange(value) : undefined;
  const { event = [], repeat } = value as Timing;
  const bounds = repeat?.boundsPeriod === undefined ? [] : [rangeOf('Period', repeat.boundsPeriod)];
  const ranges = [...event.map((moment) => parseDateRange(moment)), ...bounds].filter((range) => range !== undefined);
  if (ranges.length === 0) return undefined;
  return { lo: Math.min(...ranges.map(({ lo }) => lo)), hi: Math.max(...ranges.map(({ hi }) => hi)) };
}

function addStrings(entries: Entries, param: string, type: string, value: unknown): void {
  const parts = type === 'HumanName' ? partsOf(value as HumanName) : type === 'Address' ? linesOf(value) : [value];
  for (const part of parts) if (typeof part === 'string') addString(entries, param, part);
}

/** Adds a string in its compared form and, under `<param>:exact`, as written. */
export function addString(entries: Entries, param: string, text: string): void {
  const written = text.slice(0, MAX_INDEXED_LENGTH);
  const value = normalizeString(written);
  if (value === '') return;
  entries.strings.push({ param, value });
  addToken(entries, `${param}:exact`, '', written);
}

/** Every part of a name that a search by name compares. */
export function partsOf({ text, family, given, prefix, suffix }: HumanName): readonly (string | undefined)[] {
  return [text, family, ...(given ?? []), ...(prefix ?? []), ...(suffix ?? [])];
}

/** Every part of an address that a search by address compares. @see https://hl7.org/fhir/R4/search.html#string */
function linesOf(value: unknown): readonly (string | undefined)[] {
  const { text, line, city, district, state, postalCode, country } = value as Address;
  return [text, ...(line ?? []), city, district, state, postalCode, country];
}

/** The first text, in the order of code points, behind all that begin with a text; undefined when none is. */
export function afterAllThatBeginWith(start: string): string | undefined {
  const characters = [...start].map((character) => character.codePointAt(0) ?? 0);
  while (characters.length > 0) {
    const last = characters.pop() ?? 0;
    // The code points of surrogates are no characters; none follows the last one.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    if (next <= 0x10ffff) return String.fromCodePoint(...characters, next);
  }
  return undefined;
}
