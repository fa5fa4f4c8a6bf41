/** What rows have of the keys of an order that is not their list's, from their arrays. */
import type { Document } from 'mongodb';
import { firstOfValues, type ListPlace, type SortKey, type SortValue } from '../../../../profiles/search/order.ts';
import type { IndexArrays } from '../documents.ts';
import { codesOf, codesPrefix, referenceKey, targetsOf } from '../write/index-arrays.ts';

/** The array that entries of each kind are in. */
const ARRAY = { token: 'tok', reference: 'ref', date: 'dates', string: 'str' } as const;

/** Of each array that an order reads, the entries of its parameters alone. */
export function sortProjection(order: readonly SortKey[]): Document {
  const entries = order.flatMap(({ by, param }) =>
    by === 'moment' || by === 'id' ? [] : [{ array: ARRAY[by], condition: conditionOf(by, param) }],
  );
  const byArray = Map.groupBy(entries, ({ array }) => array);
  return Object.fromEntries(
    [...byArray].map(([array, all]) => {
      const cond = { $or: all.map(({ condition }) => condition) };
      return [array, { $filter: { input: `$${array}`, as: 'entry', cond } }];
    }),
  );
}

function conditionOf(by: keyof typeof ARRAY, param: string): Document {
  if (by === 'date' || by === 'string') return { $eq: ['$$entry.p', { $literal: param }] };
  const prefix = by === 'token' ? codesPrefix(param) : referenceKey(param, '');
  return { $eq: [{ $indexOfCP: ['$$entry', { $literal: prefix }] }, 0] };
}

/** The values of a row under each key; the row has what {@link sortProjection} asks for. */
export function sortValuesOf(
  row: ListPlace & Partial<Pick<IndexArrays, (typeof ARRAY)[keyof typeof ARRAY]>>,
  order: readonly SortKey[],
): readonly SortValue[] {
  return order.map(({ by, param, descending }) => {
    switch (by) {
      case 'moment':
        return row.sort;
      case 'id':
        return row.id;
      case 'token':
        return firstOfValues(codesOf(row.tok ?? [], param), descending);
      case 'reference':
        return firstOfValues(targetsOf(row.ref ?? [], param), descending);
      case 'date':
        return firstOfValues(
          (row.dates ?? []).filter(({ p }) => p === param).map(({ lo }) => lo),
          descending,
        );
      case 'string':
        return firstOfValues(
          (row.str ?? []).filter(({ p }) => p === param).map(({ v }) => v),
          descending,
        );
    }
  });
}
