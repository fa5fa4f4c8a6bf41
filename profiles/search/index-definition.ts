/**
 * Under which definition a row is indexed: what its search values and its place in lists were made by. Rows of an
 * earlier definition are known by its version, and indexed anew.
 */
import { createHash } from 'node:crypto';
import type { SearchParameter } from '@medplum/fhirtypes';
import { fhirType, type StoredType } from '../types/visibility.ts';
import { EARLIEST_DEFINITIONS } from './earliest-definitions.ts';
import type { SearchParameterEntry } from './parameters.ts';

/** How the rows of a type are indexed. */
export type IndexDefinition = {
  readonly type: StoredType;
  /** A number that is made of the rest: equal definitions have equal versions, in every release. Never 0. */
  readonly version: number;
  /**
   * Of each search parameter by its code: a digest of what its values are made by. Under {@link inErrorKey}, of those
   * by which a row that was an error is not found: what is told of one.
   */
  readonly parameters: Readonly<Record<string, string>>;
  /** The elements by which lists are sorted, with a space between. */
  readonly sort: string;
};

/** The version of rows that were written before versions were kept. */
export const EARLIEST_VERSION = 0;

/**
 * Raise it when values are made otherwise from the same elements (values.ts, contained.ts, date-range.ts): every row is
 * indexed anew then, and until it is no parameter of its type is served.
 */
const CODE_VERSION = 1;

/** Where a definition keeps that a parameter does not find rows that were an error. */
export function inErrorKey(code: string): string {
  return `${code}:in-error`;
}

/** AuditEvents are indexed when they are recorded, and the chain proves their values: nothing writes them anew. */
export function isReindexed(type: StoredType): boolean {
  return type !== 'AuditEvent';
}

/** The definition of rows of a type that have no version; undefined when nothing is known of them. */
export function earliestDefinitionOf(type: StoredType): IndexDefinition | undefined {
  const earliest = EARLIEST_DEFINITIONS[type];
  return earliest === undefined ? undefined : { type, version: EARLIEST_VERSION, ...earliest };
}

/** The versions of rows that a definition holds for: its own and, where it has not changed since, the earliest. */
export function versionsOf({ type, version }: IndexDefinition): readonly number[] {
  const earliest = EARLIEST_DEFINITIONS[type];
  const isEarliest = earliest !== undefined && versionOf(earliest) === version;
  return isEarliest ? [EARLIEST_VERSION, version] : [version];
}

/** Makes the definition of a type from its search parameters, each with the expression that counts. */
export function indexDefinitionOf(
  type: StoredType,
  parameters: readonly { readonly entry: SearchParameterEntry; readonly expression: string }[],
): IndexDefinition {
  const digests = parameters.flatMap(({ entry, expression }) => [
    [entry.code, digestOf(entry, expression)] as const,
    ...(isToldInError(type, expression) ? [] : [[inErrorKey(entry.code), toldDigestOf(type)] as const]),
  ]);
  const content = { parameters: Object.fromEntries(digests), sort: fhirType(type).sort.elements.join(' ') };
  return { type, version: versionOf(content), ...content };
}

function versionOf({ parameters, sort }: Pick<IndexDefinition, 'parameters' | 'sort'>): number {
  const sorted = Object.entries(parameters).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Number.parseInt(digest([sorted, sort]), 16);
}

/**
 * The expression of a parameter on a type. R4 joins those of all types that share a parameter: others may change.
 * @throws {Error} the definitions lack the parameter
 */
export function expressionOn(
  type: StoredType,
  entry: SearchParameterEntry,
  byUrl: ReadonlyMap<string, SearchParameter>,
): string {
  if (entry.expression !== undefined) return entry.expression;
  const text = byUrl.get(entry.definition)?.expression;
  if (text === undefined) throw new Error(`The definitions lack ${entry.definition}`);
  const parts = text.split('|').map((part) => part.trim());
  const own = parts.filter((part) => new RegExp(`\\b${type}\\b`).test(part));
  return (own.length === 0 ? parts : own).join(' | ');
}

/** Targets narrow the values of `patient` alone, see values.ts. Twelve hexadecimal digits: 48 bits. */
function digestOf({ code, type, targets = [], needsType }: SearchParameterEntry, expression: string): string {
  const narrow = code === 'patient' ? [targets.toSorted(), needsType === true] : [];
  return digest([CODE_VERSION, type, expression, narrow]);
}

/** Whether what an expression of a type leads to is told of a row that was an error. */
function isToldInError(type: StoredType, expression: string): boolean {
  const { toldInError: told } = fhirType(type);
  const elements = [...expression.matchAll(new RegExp(`\\b${type}\\.(\\w+)`, 'g'))].map(([, element = '']) => element);
  // `effective` is told as effectiveDateTime.
  const isTold = (element: string): boolean =>
    told?.some((name) => name === element || new RegExp(`^${element}[A-Z]`).test(name)) !== false;
  return elements.every(isTold);
}

function toldDigestOf(type: StoredType): string {
  return digest([CODE_VERSION, type, fhirType(type).toldInError]);
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}
