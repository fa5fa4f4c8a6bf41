/**
 * Chains that lead to too many rows to be named in a filter: they are looked at from the rows of a list, batch by
 * batch. A page of a pattern that is common is full after a few batches.
 */
import type { Filter } from 'mongodb';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import { compileCriterion, type RowFilter } from './criteria.ts';
import type { RowDocument } from '../documents.ts';
import { targetsOf } from '../write/index-arrays.ts';
import { inBatches, type Listing, type Pace } from './listing.ts';
import { shownOf, type Reader } from './reader.ts';

/** A chain. */
export type ChainCriterion = Extract<Criterion, { kind: 'chain' }>;

/** Keeps of a listing the rows that satisfy a chain. */
export async function* linking(reader: Reader, listing: Listing, chain: ChainCriterion, { first }: Pace): Listing {
  const inner = await compileCriterion(chain.criterion, noTargets);
  const own = chain.own === undefined ? undefined : await compileCriterion(chain.own, noTargets);
  for await (const batch of inBatches(listing, first)) {
    const keys = batch.map(({ key }) => key);
    const rows = await findAmong(reader, keys, {});
    const targets = new Map(
      rows.map(({ _id, ref }) => [
        _id,
        targetsOf(ref, chain.param).filter((target) => target.startsWith(`${chain.target}/`)),
      ]),
    );
    const found = await findAmong(reader, [...new Set([...targets.values()].flat())], inner);
    const shown = await shownOf(reader, found);
    const satisfied = new Set(own === undefined ? [] : (await findAmong(reader, keys, own)).map(({ _id }) => _id));
    yield* batch.filter(
      ({ key }) => satisfied.has(key) || targets.get(key)?.some((target) => shown.has(target)) === true,
    );
  }
}

async function findAmong(
  { collections, session }: Reader,
  keys: readonly string[],
  filter: RowFilter,
): Promise<readonly RowDocument[]> {
  if (keys.length === 0) return [];
  const condition = { $and: [{ _id: { $in: [...keys] }, gone: { $exists: false } }, filter] } as Filter<RowDocument>;
  const options = { session, projection: { type: 1, id: 1, parent: 1, ref: 1 } } as const;
  return (await collections.standing.find(condition, options).toArray()) as readonly RowDocument[];
}

/** Chains have one level. */
async function noTargets(): Promise<readonly string[]> {
  return [];
}
