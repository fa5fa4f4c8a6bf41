/** `_sort` of a URL. @see https://hl7.org/fhir/R4/search.html#sort */
import { Fault } from '../fault.ts';
import { fhirType, type StoredType } from '../types/visibility.ts';
import type { SortKey } from './order.ts';
import { findSearchParameter, searchParametersOf } from './parameters.ts';
import type { ParameterType } from './parameters.ts';

/** Most keys of an order. */
export const MAX_SORT_KEYS = 5;

const BY = {
  token: 'token',
  uri: 'token',
  reference: 'reference',
  date: 'date',
  string: 'string',
} as const satisfies Record<ParameterType, SortKey['by']>;

/**
 * The search parameters by which a type is sorted: all of them, but references of what is joined to no other row, and
 * what no index keeps.
 */
export function sortsOf(type: StoredType): readonly string[] {
  const { standsApart } = fhirType(type);
  return searchParametersOf(type)
    .filter((parameter) => standsApart !== true || (parameter.type !== 'reference' && parameter.isRead !== true))
    .map(({ code }) => code);
}

/**
 * Reads an order: parameters by their importance, with `-` when the greatest comes first. The type's own order is none.
 * A key that is there twice counts where it is first.
 * @throws {Fault} invalid - a key by which the type is not sorted
 * @throws {Fault} too-costly - more than MAX_SORT_KEYS
 */
export function parseSort(type: StoredType, text: string): readonly SortKey[] {
  const names = text.split(',');
  if (names.length > MAX_SORT_KEYS)
    throw new Fault('too-costly', `A search is sorted by at most ${MAX_SORT_KEYS} keys`, { expression: '_sort' });
  const byParam = new Map<string, SortKey>();
  for (const name of names) {
    const key = parseKey(type, name);
    if (!byParam.has(key.param)) byParam.set(key.param, key);
  }
  return simplest([...byParam.values()]);
}

/** Ids are unique, so nothing behind them counts; and lists have them within their own order, from either end. */
function simplest(keys: readonly SortKey[]): readonly SortKey[] {
  const id = keys.findIndex(({ by }) => by === 'id');
  const counting = id < 0 ? keys : keys.slice(0, id + 1);
  const [first, second, ...others] = counting;
  if (first?.by !== 'moment' || others.length > 0) return counting;
  const isList = second === undefined || (second.by === 'id' && second.descending !== first.descending);
  if (!isList) return counting;
  return first.descending ? [] : [first];
}

function parseKey(type: StoredType, name: string): SortKey {
  const descending = name.startsWith('-');
  const entry = findSearchParameter(type, descending ? name.slice(1) : name);
  if (entry === undefined || !sortsOf(type).includes(entry.code)) {
    const shown = name.slice(0, 64);
    throw new Fault('invalid', `${type} is not sorted by ${shown}; it is by ${sortsOf(type).join(', ')}`, {
      expression: '_sort',
    });
  }
  const { code } = entry;
  const by = code === fhirType(type).sort.by ? 'moment' : code === '_id' ? 'id' : BY[entry.type];
  return { by, param: code, descending };
}
