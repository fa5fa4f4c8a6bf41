/**
 * Criteria on other rows of which too many satisfy them to be named in a filter: they are looked at from the rows of a
 * list, batch by batch. A page of a pattern that is common is full after a few batches.
 */
import type { Filter } from 'mongodb';
import { isLink, type Criterion, type LinkCriterion } from '../../../../profiles/search/criterion.ts';
import type { ListPlace } from '../../../../profiles/search/order.ts';
import { compileCriterion, type RowFilter } from './criteria.ts';
import type { RowDocument } from '../documents.ts';
import { referenceKey, targetsOf } from '../write/index-arrays.ts';
import { following, inBatches, LARGEST_BATCH, listOrder, type Listing, type Pace } from './listing.ts';
import { shownOf, type Reader } from './reader.ts';

type Chain = Extract<LinkCriterion, { kind: 'chain' }>;
type Has = Extract<LinkCriterion, { kind: 'has' }>;

/** Keeps of a listing the rows that satisfy a criterion on other rows. */
export async function* linking(reader: Reader, listing: Listing, link: LinkCriterion, { first }: Pace): Listing {
  for await (const batch of inBatches(listing, first)) {
    const found = await satisfying(
      reader,
      batch.map(({ key }) => key),
      link,
    );
    const keys = new Set(found.map(({ _id }) => _id));
    yield* batch.filter(({ key }) => keys.has(key));
  }
}

/** Those of some rows, by `Type/id`, that satisfy a criterion, whoever may see them. */
async function satisfying(
  reader: Reader,
  keys: readonly string[],
  criterion: Criterion,
): Promise<readonly RowDocument[]> {
  if (!isLink(criterion)) return await findAmong(reader, keys, compileCriterion(criterion));
  const rows = await findAmong(reader, keys, {});
  const linked =
    criterion.kind === 'chain' ? await leading(reader, rows, criterion) : await referred(reader, rows, criterion);
  return rows.filter(({ _id }) => linked.has(_id));
}

async function leading(reader: Reader, rows: readonly RowDocument[], chain: Chain): Promise<ReadonlySet<string>> {
  const targets = new Map(
    rows.map(({ _id, ref }) => [
      _id,
      targetsOf(ref, chain.param).filter((target) => target.startsWith(`${chain.target}/`)),
    ]),
  );
  const found = await satisfying(reader, [...new Set([...targets.values()].flat())], chain.criterion);
  const shown = await shownOf(reader, found);
  const leads = rows.filter(({ _id }) => targets.get(_id)?.some((target) => shown.has(target)) === true);
  const keys = rows.map(({ _id }) => _id);
  const own = chain.own === undefined ? [] : await satisfying(reader, keys, chain.own);
  return new Set([...leads, ...own].map(({ _id }) => _id));
}

/** A row that is found leaves the question, so one that many refer to is not asked for again. */
async function referred(reader: Reader, rows: readonly RowDocument[], has: Has): Promise<ReadonlySet<string>> {
  const open = new Set(rows.map(({ _id }) => _id));
  const closed = new Set<string>();
  let after: ListPlace | undefined;
  while (open.size > 0) {
    const sources = await sourcesOf(reader, [...open], has, after);
    const keys = sources.map(({ _id }) => _id);
    const found = isLink(has.criterion) ? await satisfying(reader, keys, has.criterion) : sources;
    const shown = await shownOf(reader, found);
    for (const { _id, ref } of found) {
      if (!shown.has(_id)) continue;
      for (const target of targetsOf(ref, has.param)) if (open.delete(target)) closed.add(target);
    }
    if (sources.length < LARGEST_BATCH) break;
    after = sources.at(-1);
  }
  return closed;
}

async function sourcesOf(
  { collections, session }: Reader,
  keys: readonly string[],
  { source, param, criterion }: Has,
  after: ListPlace | undefined,
): Promise<readonly RowDocument[]> {
  const refers = { ref: { $in: keys.map((key) => referenceKey(param, key)) } };
  const inner: RowFilter = isLink(criterion) ? {} : compileCriterion(criterion);
  const condition = { $and: [{ type: source }, refers, inner, following(after, false)] } as Filter<RowDocument>;
  return await collections.standing
    .find(condition, { session, projection: PROJECTION, batchSize: LARGEST_BATCH + 1 })
    .sort(listOrder(false))
    .limit(LARGEST_BATCH)
    .toArray();
}

const PROJECTION = { type: 1, id: 1, sort: 1, parent: 1, ref: 1 } as const;

async function findAmong(
  { collections, session }: Reader,
  keys: readonly string[],
  filter: RowFilter,
): Promise<readonly RowDocument[]> {
  const found: RowDocument[] = [];
  for (let at = 0; at < keys.length; at += LARGEST_BATCH) {
    const some = { _id: { $in: keys.slice(at, at + LARGEST_BATCH) }, gone: { $exists: false } };
    const condition = { $and: [some, filter] } as Filter<RowDocument>;
    const options = { session, projection: PROJECTION, batchSize: LARGEST_BATCH + 1 } as const;
    found.push(...(await collections.standing.find(condition, options).toArray()));
  }
  return found;
}
