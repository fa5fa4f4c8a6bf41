/** Who bars a reader: the rights that show nothing to it, each of which a question of it names. */
import type { AggregationCursor, ClientSession } from 'mongodb';
import { Fault } from '../../../../profiles/fault.ts';
import { BARRED } from '../../../access/decide.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { barrable, BLOCK } from '../../../access/right.ts';
import type { Collections } from '../collections.ts';

/** How many rights may be shut to one reader, as a question is a document of 16 MB; of how many persons at once. */
const BOUNDS = { shut: 10_000, atOnce: 1_000 };

/** Who reads, when (epoch milliseconds), and in which transaction. */
type Asking = {
  readonly collections: Collections;
  readonly session: ClientSession;
  readonly grant: AnyGrant;
  readonly now: number;
};

/**
 * Ids of the rights of a grant that show nothing, as their persons bar who reads. Who is people is asked who bars them;
 * mostly nobody does.
 * @throws {Fault} too-costly - more than a question can name: it is not answered in part
 */
export async function barredRights(
  { collections, session, grant, now }: Asking,
  { shut: most, atOnce }: typeof BOUNDS = BOUNDS,
): Promise<readonly string[]> {
  const names = grant.system || grant.barredBy === 'everybody' ? [] : barrable(grant.principals);
  if (names.length === 0) return [];
  const { rights } = collections;
  const bars = { relation: BLOCK, principal: { $in: [...names] }, from: { $lte: now }, to: { $gt: now } } as const;
  const barring = rights.aggregate<Barring>([{ $match: bars }, { $group: { _id: '$person' } }], { session });
  const held = { principal: { $in: [...grant.principals] }, relation: { $in: [...BARRED] } };
  const shut: string[] = [];
  for await (const persons of batchesOf(barring, atOnce)) {
    const theirs = { person: { $in: persons }, ...held };
    const found = await rights.find(theirs, { session, projection: { _id: 1 }, limit: most + 1 }).toArray();
    shut.push(...found.map(({ _id }) => _id));
    if (shut.length > most)
      throw new Fault('too-costly', 'More records are closed to who asks than one question names');
  }
  return shut;
}

type Barring = { readonly _id: PersonKey };

async function* batchesOf(found: AggregationCursor<Barring>, size: number): AsyncGenerator<PersonKey[]> {
  let batch: PersonKey[] = [];
  for await (const { _id } of found) {
    batch.push(_id);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
