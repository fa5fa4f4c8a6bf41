/** Schema 3: histories are listed, and deletions found by those who saw the row. */
import type { Db } from 'mongodb';

/** Creates what is missing, so that it may be run again. */
export async function indexHistory(db: Db): Promise<void> {
  await db
    .collection('history')
    .createIndexes([
      { key: { type: 1, id: 1, version: -1 } },
      { key: { readers: 1, type: 1 }, partialFilterExpression: { readers: { $exists: true } } },
    ]);
}
