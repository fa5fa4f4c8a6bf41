/** What a store keeps of a resource to search it: values without a store's form, from FHIRPath over the definitions. */
import { evalFhirPathTyped, getSearchParameterDetails, parseFhirPath, toTypedValue } from '@medplum/core';
import type { FhirPathAtom, TypedValue } from '@medplum/core';
import type { Patient, Resource, SearchParameter } from '@medplum/fhirtypes';
import { openWords } from '../identity/shown-patient.ts';
import { indexContained } from './contained.ts';
import { EARLIEST_VERSION, expressionOn, indexDefinitionOf, isReindexed } from './index-definition.ts';
import type { IndexDefinition } from './index-definition.ts';
import { searchParametersOf } from './parameters.ts';
import type { SearchParameterEntry } from './parameters.ts';
import { addEntries } from './values.ts';
import type { Entries } from './values.ts';
import { indexDefinitions } from '../validation/structure-definitions.ts';
import type { Definitions } from '../validation/structure-definitions.ts';
import { toldOf } from '../types/row-rules.ts';
import { fhirType, isStoredType, STORED_TYPES } from '../types/visibility.ts';
import type { StoredType } from '../types/visibility.ts';

/** The values of one resource, by search parameter code. No entry is there twice. */
export type IndexEntries = {
  /**
   * Tokens and URIs; `system` is '' when there is none (a `code`, a boolean), `value` is '' when only a system is.
   * Also, under a name with a colon: `<reference>:identifier`, the identifiers of logical references and of contained
   * resources; `<string>:exact`, the strings as they were written.
   */
  readonly tokens: readonly { readonly param: string; readonly system: string; readonly value: string }[];
  /** `Type/id` (without version), or an absolute URI. */
  readonly references: readonly { readonly param: string; readonly target: string }[];
  /**
   * Epoch milliseconds, `lo` inclusive and `hi` exclusive, by the precision of the value; open ends -/+ 8.64e15.
   * `_lastUpdated` is here only when the resource has it: a store that stamps it searches its own stamp.
   */
  readonly dates: readonly { readonly param: string; readonly lo: number; readonly hi: number }[];
  /**
   * In the form of `normalizeString`. Also, under a name with a dot: `<reference>.<string>`, the names of contained
   * resources (`author.family`).
   */
  readonly strings: readonly { readonly param: string; readonly value: string }[];
};

/** The values of a row, and the version of the {@link IndexDefinition} that they are made under. */
export type RowIndex = IndexEntries & { readonly definition: number };

/** Computes the index of a resource of a stored type; of any other type there are no values. */
export type Indexer = (resource: Resource) => RowIndex;

type Compiled = { readonly entry: SearchParameterEntry; readonly expression: FhirPathAtom };

/** Definitions by type, as far as rows are indexed anew when they change. */
export type IndexDefinitions = ReadonlyMap<StoredType, IndexDefinition>;

/**
 * Makes the indexer, and tells the definitions that it indexes under. Expressions are parsed once, here. Fails on
 * definitions that lack a parameter of the table.
 */
export function createIndexer(definitions: Definitions): {
  readonly indexer: Indexer;
  readonly indexDefinitions: IndexDefinitions;
} {
  indexDefinitions(definitions);
  const byUrl = new Map(definitions.searchParameters.map((parameter) => [parameter.url, parameter]));
  const compiled = new Map<string, readonly Compiled[]>();
  const made = new Map<StoredType, IndexDefinition>();
  for (const type of STORED_TYPES) {
    const indexed = searchParametersOf(type).filter((entry) => entry.code !== '_id');
    compiled.set(
      type,
      indexed.map((entry) => ({ entry, expression: expressionOf(type, entry, byUrl) })),
    );
    const texts = indexed.map((entry) => ({ entry, expression: expressionOn(type, entry, byUrl) }));
    if (isReindexed(type)) made.set(type, indexDefinitionOf(type, texts));
  }
  const versions = new Map<string, number>([...made].map(([type, { version }]) => [type, version]));
  return {
    indexer: (resource) => ({
      ...indexResource(tellable(resource), compiled.get(resource.resourceType) ?? []),
      definition: versions.get(resource.resourceType) ?? EARLIEST_VERSION,
    }),
    indexDefinitions: made,
  };
}

/** Nobody finds by a search what a read does not tell. */
function tellable(resource: Resource): Resource {
  if (!isStoredType(resource.resourceType)) return resource;
  const told = toldOf(resource.resourceType, resource);
  return fhirType(resource.resourceType).hooks?.write === 'identity' ? openWords(told as Patient) : told;
}

function expressionOf(
  type: StoredType,
  entry: SearchParameterEntry,
  byUrl: ReadonlyMap<string, SearchParameter>,
): FhirPathAtom {
  if (entry.expression !== undefined) return parseFhirPath(entry.expression);
  const parameter = byUrl.get(entry.definition);
  if (parameter === undefined) throw new Error(`The definitions lack ${entry.definition}`);
  return getSearchParameterDetails(type, parameter).parsedExpression;
}

function indexResource(resource: Resource, compiled: readonly Compiled[]): IndexEntries {
  const root: TypedValue = toTypedValue(resource);
  const entries: Entries = { tokens: [], references: [], dates: [], strings: [] };
  for (const { entry, expression } of compiled) {
    const values = evalFhirPathTyped(expression, [root]);
    for (const value of values) addEntries(entries, entry, value);
    if (entry.type === 'reference') indexContained(entries, entry, resource, values);
  }
  return {
    tokens: withoutRepeats(entries.tokens, (token) => `${token.param}\n${token.system}\n${token.value}`),
    references: withoutRepeats(entries.references, (reference) => `${reference.param}\n${reference.target}`),
    dates: withoutRepeats(entries.dates, (date) => `${date.param}\n${date.lo}\n${date.hi}`),
    strings: withoutRepeats(entries.strings, (text) => `${text.param}\n${text.value}`),
  };
}

function withoutRepeats<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  if (items.length < 2) return items;
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
