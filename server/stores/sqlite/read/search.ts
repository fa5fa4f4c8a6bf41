/** Search: the candidates, the total as asked, the page's rows and what they include. */
import { isOfItsOwn, isReversedList, type SortKey } from '../../../../profiles/search/order.ts';
import type { SearchQuery } from '../../../../profiles/search/query.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import { MAX_ORDERED_ROWS, type PageEnd, type SearchPage } from '../../../ports/record-store.ts';
import { isTooCostly } from '../../patient-numbers.ts';
import { orderedPage, requireFewToOrder, type PageCut } from '../../ordered-page.ts';
import type { Candidates, ListPart, Place } from './candidates.ts';
import type { Database } from '../database.ts';
import { besideRows } from './include.ts';
import { candidatesUnder } from './links.ts';
import { sortValuesOf } from './sort-values.ts';
import { visibleRowsAt } from './visible.ts';

const TOTAL_BOUND = 1_000;

/** Answers a search: a full page behind `skip` rows, its includes, the total as asked. */
export function search(
  db: Database,
  grant: AnyGrant,
  query: SearchQuery & Pick<ListPart, 'only'>,
  after: PageEnd | undefined,
  skip = 0,
): SearchPage {
  const part = { span: query.span, isReversed: isReversedList(query.order), only: query.only };
  const candidates = candidatesUnder(db, grant, query.type, query.where, part);
  if (query.summary === 'count' || query.count === 0)
    return { rows: [], included: [], total: totalOf(candidates, query), next: undefined };
  const { shown, next, all } = pageOf(db, candidates, query, { after, skip, count: query.count });
  const rids = shown.map(({ rid }) => rid);
  const rows = visibleRowsAt(db, grant, rids, query.withoutTail);
  const total = query.total === 'none' ? undefined : totalOf(candidates, query, all);
  return { rows, ...besideRows(db, grant, rows, query), total, next };
}

/** `all` is the number of matches, where it is known. */
function totalOf(candidates: Candidates, query: SearchQuery, all?: number): number | undefined {
  if (query.summary === 'count' || query.total === 'accurate') return all ?? candidates.count(Number.MAX_SAFE_INTEGER);
  if (query.total === 'none') return undefined;
  const counted = all ?? countUpTo(candidates, TOTAL_BOUND + 1);
  return counted > TOTAL_BOUND ? undefined : counted;
}

/** What is too much to look at counts as too many. */
function countUpTo(candidates: Candidates, limit: number): number {
  try {
    return candidates.count(limit);
  } catch (error) {
    if (isTooCostly(error)) return limit;
    throw error;
  }
}

/** `all` is the number of all candidates, where the page says it: it is the first and the last, or all are read. */
type FoundPlaces = {
  readonly shown: readonly Place[];
  readonly next: PageEnd | undefined;
  readonly all: number | undefined;
};

function pageOf(db: Database, candidates: Candidates, { type, order = [] }: SearchQuery, cut: PageCut): FoundPlaces {
  const { after, skip, count } = cut;
  if (isOfItsOwn(order)) return orderedPageOf(db, candidates, type, order, cut);
  const found = candidates.page(after, skip + count + 1);
  const places = found.slice(skip);
  const shown = places.slice(0, count);
  const last = shown.at(-1);
  return {
    shown,
    all: after === undefined && found.length <= skip + count ? found.length : undefined,
    next: places.length > count && last !== undefined ? { sort: last.sort, id: last.id } : undefined,
  };
}

function orderedPageOf(
  db: Database,
  candidates: Candidates,
  type: StoredType,
  order: readonly SortKey[],
  cut: PageCut,
): FoundPlaces {
  const places = candidates.page(undefined, MAX_ORDERED_ROWS + 1);
  requireFewToOrder(places.length);
  const values = sortValuesOf(db, type, order, places);
  const sorted = places.map((place, at) => ({ ...place, keys: values[at] ?? [] }));
  return { ...orderedPage(order, sorted, cut), all: places.length };
}
