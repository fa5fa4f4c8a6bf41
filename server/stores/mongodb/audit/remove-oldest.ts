/** Removes the oldest events: their entries, the personal parts, and the documents by which they are found. */
import type { Collections } from '../collections.ts';
import { inTransaction } from '../transaction.ts';

/** Events that one transaction removes. */
const BATCH = 200;

/**
 * Removes some, up to a record, in a transaction; answers how many.
 * @throws {Fault} transient - the store is out of reach or busy
 */
export async function removeOldest(collections: Collections, last: number): Promise<number> {
  const { chain, personal, audit } = collections;
  return await inTransaction(collections, async (session) => {
    const oldest = await chain
      .find({ _id: { $lte: last } }, { session, projection: { event: 1 } })
      .sort({ _id: 1 })
      .limit(BATCH)
      .toArray();
    if (oldest.length === 0) return 0;
    const sequences = oldest.map(({ _id }) => _id);
    await audit.deleteMany({ _id: { $in: oldest.map(({ event }) => event) } }, { session });
    await personal.deleteMany({ _id: { $in: sequences } }, { session });
    await chain.deleteMany({ _id: { $in: sequences } }, { session });
    return oldest.length;
  });
}
