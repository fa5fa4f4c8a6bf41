/** Schema 10: who bars somebody is found by whom. */
import type { Db } from 'mongodb';

/** Creates what is missing, so that it may be run again. */
export async function indexBlocks(db: Db): Promise<void> {
  await db
    .collection('rights')
    .createIndex({ relation: 1, principal: 1 }, { partialFilterExpression: { relation: 'block' } });
}
