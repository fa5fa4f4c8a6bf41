/** Searches: pages and totals of what the grant shows. */
import { compareInList, isOfItsOwn, isReversedList } from '../../../../profiles/search/order.ts';
import type { SortKey, SortValue } from '../../../../profiles/search/order.ts';
import type { Criterion, Include, SearchQuery, SortSpan } from '../../../../profiles/search/query.ts';
import { VISIBILITY, type StoredType } from '../../../../profiles/types/visibility.ts';
import { MAX_ORDERED_ROWS, type PageEnd, type SearchPage, type VisibleRow } from '../../../ports/record-store.ts';
import { orderedPage, requireFewToOrder, type PageCut } from '../../ordered-page.ts';
import { rowKey } from '../write/acl-rows.ts';
import { compileCriterion, isNarrowing, type RowFilter } from './criteria.ts';
import { targetsOf } from '../write/index-arrays.ts';
import { LARGEST_BATCH, listFew, listFromAcl, listFromRows, matching, spanFilters } from './listing.ts';
import type { Listed, Listing, ListPart, Pace } from './listing.ts';
import { linking, type ChainCriterion } from './linked.ts';
import { parseKey, readVisible, ROW_PROJECTION, toVisibleRow, type Reader } from './reader.ts';
import { sortProjection, sortValuesOf } from './sort-values.ts';

/** Totals are exact up to here; beyond, `bounded` ones are left out. */
export const TOTAL_BOUND = 1_000;

/** A filter, and the chains that are looked at from the rows that it leaves. */
type Compiled = { readonly filter: RowFilter; readonly linked: readonly ChainCriterion[] };

/** Most targets of a chain that are named in a filter. */
const MAX_CHAIN_TARGETS = 1_000;

/** Most rows that come beside a page. */
const MAX_INCLUDED = 1_000;

// A search that matches no more rows than this is answered from them, another from what the principals see.
const FEW = 1_000;

/** The rows of a search, from a place on; may be asked more than once. */
type Plan = (after: PageEnd | undefined, pace: Pace) => Listing;

/** Which part of a list, and from which end. */
type Part = Omit<ListPart, 'after'>;

const WHOLE: Part = { span: undefined, isReversed: false };

/** Where a page begins: behind a place, and behind so many rows more. */
export type PageStart = { readonly after?: PageEnd | undefined; readonly skip?: number | undefined };

const COUNTING: Pace = { first: LARGEST_BATCH, isCount: true };

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
  const plan = await planSearch(reader, query.type, query.where, {
    span: query.span,
    isReversed: isReversedList(query.order),
  });
  const { shown, next, all } =
    query.summary === 'count' ? NOTHING : await pageOf(reader, plan, query, { after, skip, count: query.count });
  const rows = await readListed(reader, shown);
  return {
    rows: rows.map(({ row }) => row),
    included: await readIncluded(reader, query.include, rows),
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
    const found = await collections.standing.find({ _id: { $in: keys } }, { session, projection }).toArray();
    for (const row of found) values.set(row._id, sortValuesOf(row, order));
  }
  return values;
}

async function planSearch(
  reader: Reader,
  type: StoredType,
  where: readonly Criterion[],
  part: Part = WHOLE,
): Promise<Plan> {
  const { filter, linked } = await compileAll(reader, where, part.span);
  const plan = await planFiltered(
    reader,
    type,
    where.filter((criterion) => !linked.some((chain) => chain === criterion)),
    filter,
    part,
  );
  if (linked.length === 0) return plan;
  return (after, pace) => linked.reduce((listing, chain) => linking(reader, listing, chain, pace), plan(after, pace));
}

async function planFiltered(
  reader: Reader,
  type: StoredType,
  where: readonly Criterion[],
  filter: RowFilter,
  part: Part,
): Promise<Plan> {
  const visibility = VISIBILITY[type];
  if (reader.grant.system || visibility === 'directory' || visibility === 'part') {
    return (after, pace) => listFromRows(reader, type, filter, { ...part, after }, pace);
  }
  if (where.length === 0) return (after, pace) => listFromAcl(reader, type, { ...part, after }, pace);
  const few = where.some(isNarrowing) ? await listFew(reader, type, filter, FEW) : undefined;
  if (few === undefined)
    return (after, pace) => matching(reader, listFromAcl(reader, type, { ...part, after }, pace), filter, pace);
  return (after) => listArray(few, { ...part, after });
}

async function* listArray(listed: readonly Listed[], { after, isReversed }: ListPart): Listing {
  const ordered = isReversed ? listed.toReversed() : listed;
  yield* after === undefined ? ordered : ordered.filter((row) => compareInList(after, row, isReversed) < 0);
}

async function compileAll(reader: Reader, where: readonly Criterion[], span: SortSpan | undefined): Promise<Compiled> {
  const filters: RowFilter[] = spanFilters(span);
  const linked: ChainCriterion[] = [];
  for (const criterion of where) {
    const targets =
      criterion.kind === 'chain' ? await resolveTargets(reader, criterion.target, criterion.criterion) : [];
    if (targets !== undefined) filters.push(await compileCriterion(criterion, async () => targets));
    else if (criterion.kind === 'chain') linked.push(criterion);
  }
  return { filter: filters.length === 0 ? {} : { $and: filters }, linked };
}

/** What satisfies a chain; undefined when that is too many to be named in a filter. */
async function resolveTargets(
  reader: Reader,
  target: StoredType,
  criterion: Criterion,
): Promise<readonly string[] | undefined> {
  const plan = await planSearch(reader, target, [criterion]);
  const found = await take(plan(undefined, COUNTING), MAX_CHAIN_TARGETS + 1);
  return found.length > MAX_CHAIN_TARGETS ? undefined : found.map(({ key }) => key);
}

async function take(listing: Listing, limit: number): Promise<readonly Listed[]> {
  const taken: Listed[] = [];
  for await (const listed of listing) {
    taken.push(listed);
    if (taken.length === limit) break;
  }
  return taken;
}

async function countTotal(plan: Plan, query: SearchQuery, all: number | undefined): Promise<number | undefined> {
  const isCount = query.summary === 'count';
  if (query.total === 'none' && !isCount) return undefined;
  const bound = query.total === 'accurate' || isCount ? Infinity : TOTAL_BOUND;
  if (all !== undefined) return all > bound ? undefined : all;
  let total = 0;
  for await (const _ of plan(undefined, COUNTING)) {
    total += 1;
    if (total > bound) return undefined;
  }
  return total;
}

type Loaded = { readonly row: VisibleRow; readonly ref: readonly string[] };

async function readListed({ collections, session }: Reader, page: readonly Listed[]): Promise<readonly Loaded[]> {
  if (page.length === 0) return [];
  const keys = page.map(({ key }) => key);
  const found = await collections.standing
    .find({ _id: { $in: keys } }, { session, projection: ROW_PROJECTION })
    .toArray();
  const byKey = new Map(found.map((row) => [row._id, row]));
  return page.flatMap(({ key, shown }) => {
    const row = byKey.get(key);
    return row === undefined ? [] : [{ row: toVisibleRow(row, shown), ref: row.ref }];
  });
}

async function readIncluded(
  reader: Reader,
  includes: readonly Include[],
  rows: readonly Loaded[],
): Promise<readonly VisibleRow[]> {
  const present = new Set(rows.map(({ row }) => rowKey(row.type, row.id)));
  const wanted = new Set(
    includes.flatMap((include) =>
      rows.flatMap(({ ref }) => targetsOf(ref, include.param).filter((target) => isWanted(target, include))),
    ),
  );
  return await readVisible(reader, [...wanted].filter((key) => !present.has(key)).slice(0, MAX_INCLUDED));
}

function isWanted(reference: string, { target }: Include): boolean {
  const key = parseKey(reference);
  return key !== undefined && key.type !== 'AuditEvent' && (target === undefined || target === key.type);
}
