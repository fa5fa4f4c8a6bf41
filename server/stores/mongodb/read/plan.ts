/** How the rows of a search are found: from those that satisfy it when they are few, else from what principals see. */
import { isLink, type Criterion, type LinkCriterion } from '../../../../profiles/search/criterion.ts';
import { compareInList, type ListPlace } from '../../../../profiles/search/order.ts';
import type { SortSpan } from '../../../../profiles/search/query.ts';
import { VISIBILITY, type StoredType } from '../../../../profiles/types/visibility.ts';
import { MAX_ORDERED_ROWS, type VisibleRow } from '../../../ports/record-store.ts';
import { boundPerson } from '../../granted.ts';
import { identifiersShown, tooManyShown } from '../../patient-numbers.ts';
import { idsUpdated, isShownMoment, momentOfRow, PATIENTS_AT_ONCE } from '../../patient-versions.ts';
import { requireFewPatients, textLookedAt, tooManyPatients } from '../../patient-versions.ts';
import { referenceKey, targetsOf } from '../write/index-arrays.ts';
import { compileCriterion, isNarrowing, type PlainCriterion, type RowFilter } from './criteria.ts';
import { linking } from './linked.ts';
import { identifierCriterion, rowsAsSeen, showing } from './patients.ts';
import { LARGEST_BATCH, listFew, listFromAcl, listFromRows, matching, spanFilters } from './listing.ts';
import type { Listed, Listing, ListPart, Pace } from './listing.ts';
import { readVisible, type Reader } from './reader.ts';

/** What is looked at in the rows that a filter leaves, batch by batch. */
type Sieve = (listing: Listing, pace: Pace) => Listing;

/** A filter, and what is looked at in the rows that it leaves, by the criteria. */
type Compiled = { readonly filter: RowFilter; readonly sieves: ReadonlyMap<Criterion, Sieve> };

/** Most rows that are named in a filter for a criterion on other rows. */
const MAX_NAMED = 1_000;

// A search that matches no more rows than this is answered from them, another from what the principals see.
const FEW = 1_000;

/** The rows of a search, from a place on; may be asked more than once. */
export type Plan = (after: ListPlace | undefined, pace: Pace) => Listing;

/** Which part of a list, and from which end. */
export type Part = Omit<ListPart, 'after'>;

const WHOLE: Part = { span: undefined, isReversed: false };

/** Reads much at a time, and nothing that only a page needs. */
export const COUNTING: Pace = { first: LARGEST_BATCH, isCount: true };

/**
 * Plans a search.
 * @throws {Fault} too-costly - too many Patients are looked at
 */
export async function planSearch(
  reader: Reader,
  type: StoredType,
  asked: readonly Criterion[],
  part: Part = WHOLE,
): Promise<Plan> {
  return await planStored(reader, type, await withShownMoments(reader, type, asked), part);
}

/** Criteria on the moment of a Patient, as its reader sees her, are on the Patients that satisfy them. */
async function withShownMoments(
  reader: Reader,
  type: StoredType,
  where: readonly Criterion[],
): Promise<readonly Criterion[]> {
  const moments = where.filter((criterion) => isShownMoment(reader.grant, type, criterion));
  const others: Criterion[] = [];
  for (const criterion of where)
    if (isLink(criterion)) others.push(await linkWithMoments(reader, criterion));
    else if (!isShownMoment(reader.grant, type, criterion)) others.push(criterion);
  if (moments.length === 0) return others;
  const rows = await patientsAsSeen(reader, [...others, ...moments.flatMap(momentOfRow)]);
  return [{ kind: 'id', values: idsUpdated(rows, moments) }];
}

async function linkWithMoments(reader: Reader, link: LinkCriterion): Promise<LinkCriterion> {
  const type = link.kind === 'chain' ? link.target : link.source;
  const [criterion = link.criterion] = await withShownMoments(reader, type, [link.criterion]);
  return { ...link, criterion };
}

/**
 * The Patients that satisfy criteria of which those on their moment are on that of the row, as the reader sees them.
 * @throws {Fault} too-costly - too many
 */
export async function patientsAsSeen(reader: Reader, where: readonly Criterion[]): Promise<readonly VisibleRow[]> {
  const plan = await planStored(reader, 'Patient', where, WHOLE);
  const found = await take(plan(undefined, COUNTING), MAX_ORDERED_ROWS + 1);
  requireFewPatients(found.length);
  const [seen, isLittle] = [[] as VisibleRow[], textLookedAt()];
  for (let at = 0; at < found.length; at += PATIENTS_AT_ONCE) {
    const keys = found.slice(at, at + PATIENTS_AT_ONCE).map(({ key }) => key);
    const rows = await readVisible(reader, keys);
    if (!isLittle(rows)) throw tooManyPatients();
    seen.push(...(await rowsAsSeen(reader, rows)));
  }
  return seen;
}

async function planStored(reader: Reader, type: StoredType, where: readonly Criterion[], part: Part): Promise<Plan> {
  const { filter, sieves } = await compileAll(reader, type, where, part.span);
  const filtered = where.filter((criterion) => !sieves.has(criterion));
  const plan = await planFiltered(reader, type, filtered, filter, part);
  if (sieves.size === 0) return plan;
  return (after, pace) => [...sieves.values()].reduce((listing, sieve) => sieve(listing, pace), plan(after, pace));
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
    const person = boundPerson(reader.grant, type);
    const bounded = person === undefined ? filter : { $and: [filter, { person }] };
    return (after, pace) => listFromRows(reader, type, bounded, { ...part, after }, pace);
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

async function compileAll(
  reader: Reader,
  type: StoredType,
  where: readonly Criterion[],
  span: SortSpan | undefined,
): Promise<Compiled> {
  const filters: RowFilter[] = spanFilters(span);
  const sieves = new Map<Criterion, Sieve>();
  for (const criterion of where) {
    const compiled = isLink(criterion)
      ? ((await namedFilter(reader, type, criterion)) ?? sieveOf(reader, criterion))
      : await plainFilter(reader, type, criterion);
    if (typeof compiled === 'function') sieves.set(criterion, compiled);
    else filters.push(compiled);
  }
  return { filter: filters.length === 0 ? {} : { $and: filters }, sieves };
}

function sieveOf(reader: Reader, link: LinkCriterion): Sieve {
  return (listing, pace) => linking(reader, listing, link, pace);
}

/** A Patient is found by what its reader sees of it. */
async function plainFilter(reader: Reader, type: StoredType, criterion: PlainCriterion): Promise<RowFilter | Sieve> {
  const found = await identifierCriterion(reader, type, criterion);
  if ('filter' in found) return found.filter;
  return (listing, pace) => showing(reader, listing, found.shown, pace);
}

/** The rows that a criterion on other rows leads to, by name; undefined when they are too many for a filter. */
async function namedFilter(reader: Reader, type: StoredType, link: LinkCriterion): Promise<RowFilter | undefined> {
  const other = link.kind === 'chain' ? link.target : link.source;
  const plan = await planSearch(reader, other, [link.criterion]);
  const found = await take(plan(undefined, COUNTING), MAX_NAMED + 1);
  if (found.length > MAX_NAMED) {
    if (identifiersShown(reader.grant, other, link.criterion) !== undefined) throw tooManyShown();
    return undefined;
  }
  const keys = found.map(({ key }) => key);
  if (link.kind === 'chain') {
    const filter: RowFilter = { ref: { $in: keys.map((key) => referenceKey(link.param, key)) } };
    return link.own === undefined ? filter : { $or: [filter, compileCriterion(link.own)] };
  }
  const ids = await idsReferredTo(reader, type, keys, link.param);
  return ids.length > MAX_NAMED ? undefined : { id: { $in: [...ids] } };
}

async function idsReferredTo(
  { collections, session }: Reader,
  type: StoredType,
  keys: readonly string[],
  param: string,
): Promise<readonly string[]> {
  const ids = new Set<string>();
  const options = { session, projection: { ref: 1 }, batchSize: LARGEST_BATCH + 1 } as const;
  const found = collections.standing.find({ _id: { $in: [...keys] } }, options);
  for await (const { ref } of found) {
    for (const target of targetsOf(ref, param))
      if (target.startsWith(`${type}/`)) ids.add(target.slice(type.length + 1));
  }
  return [...ids];
}

/** The first rows of a listing, at most `limit`. */
export async function take(listing: Listing, limit: number): Promise<readonly Listed[]> {
  const taken: Listed[] = [];
  for await (const listed of listing) {
    taken.push(listed);
    if (taken.length === limit) break;
  }
  return taken;
}
