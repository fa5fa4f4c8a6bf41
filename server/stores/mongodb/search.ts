/** Searches: pages and totals of what the grant shows. */
import { Fault } from '../../../profiles/fault.ts';
import type { Criterion, Include, SearchQuery } from '../../../profiles/search-query.ts';
import { VISIBILITY, type StoredType } from '../../../profiles/visibility.ts';
import type { PageEnd, SearchPage, VisibleRow } from '../../ports/record-store.ts';
import { rowKey } from './acl-rows.ts';
import { compileCriterion, isNarrowing, type RowFilter } from './criteria.ts';
import { targetsOf } from './index-arrays.ts';
import { compareEnds, LARGEST_BATCH, listFew, listFromAcl, listFromRows, matching } from './listing.ts';
import type { Listed, Listing, Pace } from './listing.ts';
import { parseKey, readVisible, ROW_PROJECTION, toVisibleRow, type Reader } from './reader.ts';

/** Totals are exact up to here; beyond, `bounded` ones are left out. */
export const TOTAL_BOUND = 1_000;

/** Most targets that a chain may lead to. */
export const MAX_CHAIN_TARGETS = 1_000;

/** Most rows that come beside a page. */
const MAX_INCLUDED = 1_000;

// A search that matches no more rows than this is answered from them, another from what the principals see.
const FEW = 1_000;

/** The rows of a search, from a place on; may be asked more than once. */
type Plan = (after: PageEnd | undefined, pace: Pace) => Listing;

const COUNTING: Pace = { first: LARGEST_BATCH, isCount: true };

/** A page reads one more than it asks for, so that a row under two rights still leaves a full one. */
function paceOf(wanted: number): Pace {
  return { first: Math.min(LARGEST_BATCH, wanted + 1), isCount: false };
}

/** Answers one page. */
export async function searchRows(reader: Reader, query: SearchQuery, after: PageEnd | undefined): Promise<SearchPage> {
  const plan = await planSearch(reader, query.type, query.where);
  const listed = query.summary === 'count' ? [] : await take(plan(after, paceOf(query.count + 1)), query.count + 1);
  const page = listed.slice(0, query.count);
  const rows = await readListed(reader, page);
  const last = page.at(-1);
  return {
    rows: rows.map(({ row }) => row),
    included: await readIncluded(reader, query.include, rows),
    total: await countTotal(plan, query, after, listed.length),
    next: last !== undefined && listed.length > page.length ? { sort: last.sort, id: last.id } : undefined,
  };
}

async function planSearch(reader: Reader, type: StoredType, where: readonly Criterion[]): Promise<Plan> {
  const filter = await compileAll(reader, where);
  const visibility = VISIBILITY[type];
  if (reader.grant.system || visibility === 'directory' || visibility === 'part') {
    return (after, pace) => listFromRows(reader, type, filter, after, pace);
  }
  if (where.length === 0) return (after, pace) => listFromAcl(reader, type, after, pace);
  const few = where.some(isNarrowing) ? await listFew(reader, type, filter, FEW) : undefined;
  if (few === undefined) return (after, pace) => matching(reader, listFromAcl(reader, type, after, pace), filter, pace);
  return (after) => listArray(few, after);
}

async function* listArray(listed: readonly Listed[], after: PageEnd | undefined): Listing {
  yield* after === undefined ? listed : listed.filter((row) => compareEnds(after, row) < 0);
}

async function compileAll(reader: Reader, where: readonly Criterion[]): Promise<RowFilter> {
  const filters: RowFilter[] = [];
  for (const criterion of where) {
    filters.push(await compileCriterion(criterion, async (target, chained) => await resolveTargets(reader, target, chained)));
  }
  return filters.length === 0 ? {} : { $and: filters };
}

/** @throws {Fault} too-costly - the chain leads to more targets than can be asked for */
async function resolveTargets(reader: Reader, target: StoredType, criterion: Criterion): Promise<readonly string[]> {
  const plan = await planSearch(reader, target, [criterion]);
  const found = await take(plan(undefined, COUNTING), MAX_CHAIN_TARGETS + 1);
  if (found.length <= MAX_CHAIN_TARGETS) return found.map(({ key }) => key);
  throw new Fault('too-costly', `A chained parameter leads to more than ${MAX_CHAIN_TARGETS} ${target} resources; narrow it`);
}

async function take(listing: Listing, limit: number): Promise<readonly Listed[]> {
  const taken: Listed[] = [];
  for await (const listed of listing) {
    taken.push(listed);
    if (taken.length === limit) break;
  }
  return taken;
}

async function countTotal(plan: Plan, query: SearchQuery, after: PageEnd | undefined, listed: number): Promise<number | undefined> {
  const isCount = query.summary === 'count';
  if (query.total === 'none' && !isCount) return undefined;
  if (!isCount && after === undefined && listed <= query.count) return listed;
  const bound = query.total === 'accurate' || isCount ? Infinity : TOTAL_BOUND;
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
  const found = await collections.standing.find({ _id: { $in: keys } }, { session, projection: ROW_PROJECTION }).toArray();
  const byKey = new Map(found.map((row) => [row._id, row]));
  return page.flatMap(({ key, shown }) => {
    const row = byKey.get(key);
    return row === undefined ? [] : [{ row: toVisibleRow(row, shown), ref: row.ref }];
  });
}

async function readIncluded(reader: Reader, includes: readonly Include[], rows: readonly Loaded[]): Promise<readonly VisibleRow[]> {
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
