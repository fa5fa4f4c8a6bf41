/** The order of a search (`_sort`) as data, and how rows compare in it: said once, for every store. */
import type { IndexEntries } from './indexer.ts';

/** A key of an order. */
export type SortKey = {
  /** `moment` is that of the type's own order, `id` the logical id; the others are entries of a parameter. */
  readonly by: 'moment' | 'id' | 'token' | 'reference' | 'date' | 'string';
  readonly param: string;
  readonly descending: boolean;
};

/** What a row has of a key: a moment in epoch milliseconds or a text; null when it has none. */
export type SortValue = string | number | null;

/** A row's place in the own order of its type: by `sort` descending, then by id. */
export type ListPlace = { readonly sort: number; readonly id: string };

/** A row with its values of the keys of an order. */
export type Sorted = ListPlace & { readonly keys: readonly SortValue[] };

/** Whether an order is that of the lists the other way round, as an index has it from its end. */
export function isReversedList(order: readonly SortKey[] = []): boolean {
  return order.length === 1 && order[0]?.by === 'moment' && !order[0].descending;
}

/** Whether rows have to be put in order: it is neither that of the lists nor its reverse. */
export function isOfItsOwn(order: readonly SortKey[] = []): boolean {
  return order.length > 0 && !isReversedList(order);
}

/** The own order of a type, or its reverse: negative when the first comes first. */
export function compareInList(a: ListPlace, b: ListPlace, isReversed = false): number {
  const compared = a.sort === b.sort ? (a.id < b.id ? -1 : Number(a.id > b.id)) : b.sort - a.sort;
  return isReversed ? -compared : compared;
}

/**
 * An order: key by key, then as lists are. Rows without a value come last in both directions. Texts compare by their
 * UTF-16 units.
 */
export function compareSorted(order: readonly SortKey[], a: Sorted, b: Sorted): number {
  for (const [at, { descending }] of order.entries()) {
    const compared = compareValues(a.keys[at] ?? null, b.keys[at] ?? null, descending);
    if (compared !== 0) return compared;
  }
  return compareInList(a, b);
}

function compareValues(a: SortValue, b: SortValue, descending: boolean): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b === descending ? 1 : -1;
}

/**
 * Of several values of a row the one that comes first in a direction.
 * @see https://hl7.org/fhir/R4/search.html#sort
 */
export function firstOfValues(values: readonly (string | number)[], descending: boolean): SortValue {
  return values.reduce<SortValue>(
    (first, value) => (compareValues(value, first, descending) < 0 ? value : first),
    null,
  );
}

/**
 * What a row has of a key, by its entries: a date counts by its begin, a token by its code, a string in its compared
 * form, a reference by its target.
 */
export function sortValueOf(row: IndexEntries & ListPlace, key: SortKey): SortValue {
  return key.by === 'moment' ? row.sort : key.by === 'id' ? row.id : firstOfValues(valuesOf(row, key), key.descending);
}

function valuesOf(index: IndexEntries, { by, param }: SortKey): readonly (string | number)[] {
  const named = (entry: { readonly param: string }): boolean => entry.param === param;
  switch (by) {
    case 'token':
      return index.tokens.filter(named).map(({ value }) => value);
    case 'reference':
      return index.references.filter(named).map(({ target }) => target);
    case 'date':
      return index.dates.filter(named).map(({ lo }) => lo);
    case 'string':
      return index.strings.filter(named).map(({ value }) => value);
    case 'moment':
    case 'id':
      return [];
  }
}
