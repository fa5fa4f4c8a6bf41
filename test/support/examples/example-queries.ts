/** Searches by each parameter of a type: what finds an example resource, and what does not. */
import type { IndexEntries } from '../../../profiles/search/indexer.ts';
import {
  searchParametersOf,
  type ParameterType,
  type SearchParameterEntry,
} from '../../../profiles/search/parameters.ts';
import { parseSearch, type Criterion } from '../../../profiles/search/query.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';

/** Values that no example has. */
const ABSENT: Readonly<Record<ParameterType, string>> = {
  token: 'urn:absent|absent',
  uri: 'urn:absent',
  reference: 'Patient/absent',
  date: 'lt1900',
  string: 'absent',
};

/** The search parameters that rows of a type are indexed under; `_id` and `_lastUpdated` are the store's own. */
export function indexedParametersOf(type: StoredType): readonly SearchParameterEntry[] {
  return searchParametersOf(type).filter(({ code }) => !code.startsWith('_'));
}

/** A search, strict, by one value that entries have of a parameter; undefined when they have none. */
export function criterionOf(
  type: StoredType,
  parameter: SearchParameterEntry,
  entries: IndexEntries,
): Criterion | undefined {
  const value = searchValueOf(parameter, entries);
  return value === undefined ? undefined : criterionBy(type, parameter.code, value);
}

/** A search by a value that no example has. */
export function absentCriterionOf(type: StoredType, { code, type: kind }: SearchParameterEntry): Criterion {
  return criterionBy(type, code, ABSENT[kind]);
}

function criterionBy(type: StoredType, code: string, value: string): Criterion {
  const options = { handling: 'strict', maxCount: 50, defaultCount: 50, isServed: () => true } as const;
  const [criterion] = parseSearch(type, [[code, value]], options).query.where;
  if (criterion === undefined) throw new Error(`${type}?${code} gives no criterion`);
  return criterion;
}

/** The value by which a parameter finds one of the entries, as a URL has it decoded; undefined when none is. */
export function searchValueOf({ code, type }: SearchParameterEntry, entries: IndexEntries): string | undefined {
  const named = (entry: { readonly param: string }): boolean => entry.param === code;
  switch (type) {
    case 'token': {
      const token = entries.tokens.find(named);
      return token === undefined ? undefined : `${escaped(token.system)}|${escaped(token.value)}`;
    }
    case 'uri':
      return escapedOrNone(entries.tokens.find(named)?.value);
    case 'reference':
      return escapedOrNone(entries.references.find(named)?.target);
    case 'date': {
      const date = entries.dates.find(named);
      return date === undefined ? undefined : `ge${new Date(date.lo).toISOString()}`;
    }
    case 'string':
      return escapedOrNone(entries.strings.find(named)?.value);
  }
}

function escapedOrNone(text: string | undefined): string | undefined {
  return text === undefined ? undefined : escaped(text);
}

/** @see https://hl7.org/fhir/R4/search.html#escaping */
function escaped(text: string): string {
  return text.replaceAll(/[\\,$|]/g, String.raw`\$&`);
}
