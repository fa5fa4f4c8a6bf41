/** Searches: pages and totals of what the grant shows. */
import { isOfItsOwn, isReversedList } from '../../../../profiles/search/order.ts';
import type { SortKey, SortValue } from '../../../../profiles/search/order.ts';
import type { Include, SearchQuery } from '../../../../profiles/search/query.ts';
import {
  MAX_INCLUDED_ROWS,
  MAX_ORDERED_ROWS,
  type PageEnd,
  type SearchPage,
  type VisibleRow,
} from '../../../ports/record-store.ts';
import { isTooCostly } from '../../patient-numbers.ts';
import { orderedPage, requireFewToOrder, type PageCut } from '../../ordered-page.ts';
import { rowKey } from '../write/acl-rows.ts';
import { targetsOf } from '../write/index-arrays.ts';
import { LARGEST_BATCH, type Listed, type Pace } from './listing.ts';
import { COUNTING, planSearch, take, type Plan } from './plan.ts';
import { presentPatients } from './present-patients.ts';
import { parseKey, readVisible, ROW_PROJECTION, toVisibleRow, type Reader } from './reader.ts';
import { sortProjection, sortValuesOf } from './sort-values.ts';

/** Totals are exact up to here; beyond, `bounded` ones are left out. */
export const TOTAL_BOUND = 1_000;

/** Where a page begins: behind a place, and behind so many rows more. */
export type PageStart = { readonly after?: PageEnd | undefined; readonly skip?: number | undefined };

/** A page reads one more than it asks for, so that a row under two rights still leaves a full one. */
function paceOf(wanted: number): Pace {
  return { first: Math.min(LARGEST_BATCH, wanted + 1), isCount: false };
}

/** Answers one page. */
export async function searchRows(
  reader: Reader,
  query: SearchQuery,
  { after, skip = 0 }: PageStart,
): Promise<SearchPage> {
  const plan = await planSearch(reader, query.type, await presentPatients(reader, query.where), {
    span: query.span,
    isReversed: isReversedList(query.order),
  });
  const { shown, next, all } =
    query.summary === 'count' ? NOTHING : await pageOf(reader, plan, query, { after, skip, count: query.count });
  const rows = await readListed(reader, shown);
  return {
    rows: rows.map(({ row }) => row),
    ...(await readBeside(reader, query, rows)),
    total: await countTotal(plan, query, all),
    next,
  };
}

/** `all` is the number of all matches, where the page says it: it is the first and the last, or all are read. */
type FoundPage = {
  readonly shown: readonly Listed[];
  readonly next: PageEnd | undefined;
  readonly all: number | undefined;
};

const NOTHING: FoundPage = { shown: [], next: undefined, all: undefined };

async function pageOf(reader: Reader, plan: Plan, { order = [] }: SearchQuery, cut: PageCut): Promise<FoundPage> {
  if (isOfItsOwn(order)) return await orderedPageOf(reader, plan, order, cut);
  const { after, skip, count } = cut;
  const wanted = skip + count + 1;
  const found = await take(plan(after, paceOf(wanted)), wanted);
  const listed = found.slice(skip);
  const shown = listed.slice(0, count);
  const last = shown.at(-1);
  return {
    shown,
    all: after === undefined && found.length < wanted ? found.length : undefined,
    next: last !== undefined && listed.length > count ? { sort: last.sort, id: last.id } : undefined,
  };
}

async function orderedPageOf(reader: Reader, plan: Plan, order: readonly SortKey[], cut: PageCut): Promise<FoundPage> {
  const listed = await take(plan(undefined, paceOf(LARGEST_BATCH)), MAX_ORDERED_ROWS + 1);
  requireFewToOrder(listed.length);
  const values = await readSortValues(reader, listed, order);
  const sorted = listed.map((row) => ({ ...row, keys: values.get(row.key) ?? [] }));
  return { ...orderedPage(order, sorted, cut), all: listed.length };
}

async function readSortValues(
  { collections, session }: Reader,
  listed: readonly Listed[],
  order: readonly SortKey[],
): Promise<ReadonlyMap<string, readonly SortValue[]>> {
  const values = new Map<string, readonly SortValue[]>();
  const projection = { sort: 1, id: 1, ...sortProjection(order) };
  for (let at = 0; at < listed.length; at += LARGEST_BATCH) {
    const keys = listed.slice(at, at + LARGEST_BATCH).map(({ key }) => key);
    const options = { session, projection, batchSize: LARGEST_BATCH + 1 } as const;
    const found = await collections.standing.find({ _id: { $in: keys } }, options).toArray();
    for (const row of found) values.set(row._id, sortValuesOf(row, order));
  }
  return values;
}

async function countTotal(plan: Plan, query: SearchQuery, all: number | undefined): Promise<number | undefined> {
  const isCount = query.summary === 'count';
  if (query.total === 'none' && !isCount) return undefined;
  const bound = query.total === 'accurate' || isCount ? Infinity : TOTAL_BOUND;
  if (all !== undefined) return all > bound ? undefined : all;
  try {
    const total = await countOf(plan, bound);
    return total > bound ? undefined : total;
  } catch (error) {
    // What is too much to look at counts as too many.
    if (bound < Infinity && isTooCostly(error)) return undefined;
    throw error;
  }
}

/** The number of matches, or one more than the bound. */
async function countOf(plan: Plan, bound: number): Promise<number> {
  let total = 0;
  for await (const _ of plan(undefined, COUNTING)) {
    total += 1;
    if (total > bound) break;
  }
  return total;
}

type Loaded = { readonly row: VisibleRow; readonly ref: readonly string[] };

async function readListed(
  { collections, session, grant }: Reader,
  page: readonly Listed[],
): Promise<readonly Loaded[]> {
  if (page.length === 0) return [];
  const keys = page.map(({ key }) => key);
  const found = await collections.standing
    .find({ _id: { $in: keys } }, { session, projection: ROW_PROJECTION })
    .toArray();
  const byKey = new Map(found.map((row) => [row._id, row]));
  return page.flatMap(({ key, shown }) => {
    const row = byKey.get(key);
    return row === undefined ? [] : [{ row: toVisibleRow(grant, row, shown), ref: row.ref }];
  });
}

/** Rows beside a page, each once: those that its rows refer to, then those that refer to them. */
async function readBeside(
  reader: Reader,
  { include, revinclude = [] }: SearchQuery,
  rows: readonly Loaded[],
): Promise<Pick<SearchPage, 'included' | 'isCut'>> {
  if (rows.length === 0 || include.length + revinclude.length === 0) return { included: [] };
  const onPage = new Set(rows.map(({ row }) => rowKey(row.type, row.id)));
  const beside = new Map((await readIncluded(reader, include, rows, onPage)).map((row) => [keyOf(row), row]));
  // One more than may come tells that some do not.
  const most = MAX_INCLUDED_ROWS + 1 + onPage.size;
  for (const { source, param } of revinclude) {
    const plan = await planSearch(reader, source, [{ kind: 'reference', param, values: [...onPage] }]);
    const wanted = most + beside.size;
    const found = await readListed(reader, await take(plan(undefined, paceOf(wanted)), wanted));
    for (const { row } of found) beside.set(keyOf(row), row);
  }
  const included = [...beside].flatMap(([key, row]) => (onPage.has(key) ? [] : [row]));
  const isCut = included.length > MAX_INCLUDED_ROWS;
  return { included: included.slice(0, MAX_INCLUDED_ROWS), ...(isCut ? { isCut } : {}) };
}

function keyOf({ type, id }: VisibleRow): string {
  return rowKey(type, id);
}

async function readIncluded(
  reader: Reader,
  includes: readonly Include[],
  rows: readonly Loaded[],
  onPage: ReadonlySet<string>,
): Promise<readonly VisibleRow[]> {
  const targets = rows.flatMap(({ ref }) =>
    includes.flatMap((include) =>
      targetsOf(ref, include.param)
        .filter((target) => isWanted(target, include))
        .toSorted(),
    ),
  );
  const wanted = [...new Set(targets)].filter((key) => !onPage.has(key));
  const included: VisibleRow[] = [];
  for (let at = 0; at < wanted.length && included.length <= MAX_INCLUDED_ROWS; at += MAX_INCLUDED_ROWS) {
    const some = wanted.slice(at, at + MAX_INCLUDED_ROWS);
    const found = new Map((await readVisible(reader, some)).map((row) => [keyOf(row), row]));
    included.push(...some.flatMap((key) => found.get(key) ?? []));
  }
  return included;
}

function isWanted(reference: string, { target }: Include): boolean {
  const key = parseKey(reference);
  return key !== undefined && key.type !== 'AuditEvent' && (target === undefined || target === key.type);
}
