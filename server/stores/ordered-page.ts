/** A page in an order that no list has: cut, for every store, from all matches and their values of its keys. */
import { Fault } from '../../profiles/fault.ts';
import { compareSorted, type Sorted, type SortKey } from '../../profiles/search/order.ts';
import { MAX_ORDERED_ROWS, type PageEnd } from '../ports/record-store.ts';

/** Where a page begins, and how long it is. */
export type PageCut = { readonly after: PageEnd | undefined; readonly skip: number; readonly count: number };

/** Cuts a page. */
export function orderedPage<Row extends Sorted>(
  order: readonly SortKey[],
  rows: readonly Row[],
  { after, skip, count }: PageCut,
): { readonly shown: readonly Row[]; readonly next: PageEnd | undefined } {
  const place: Sorted | undefined = after === undefined ? undefined : { ...after, keys: after.keys ?? [] };
  const following = place === undefined ? rows : rows.filter((row) => compareSorted(order, place, row) < 0);
  const sorted = following.toSorted((a, b) => compareSorted(order, a, b)).slice(skip);
  const shown = sorted.slice(0, count);
  const last = shown.at(-1);
  const isMore = last !== undefined && sorted.length > shown.length;
  return { shown, next: isMore ? { sort: last.sort, id: last.id, keys: last.keys } : undefined };
}

/**
 * Requires that matches are few enough to be put in order.
 * @throws {Fault} too-costly
 */
export function requireFewToOrder(matches: number): void {
  if (matches <= MAX_ORDERED_ROWS) return;
  throw new Fault(
    'too-costly',
    `More than ${MAX_ORDERED_ROWS} resources match, which are not put in this order; narrow the search`,
    { expression: '_sort' },
  );
}
