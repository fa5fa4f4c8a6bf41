/** Schema 7: what is kept aside is found by its study, and by the person whom its sender says it is of. */
import type { Db } from 'mongodb';

/** Creates what is missing, so that it may be run again. */
export async function indexQuarantine(db: Db): Promise<void> {
  await db
    .collection('quarantine')
    .createIndexes([
      { key: { studyInstanceUID: 1 } },
      { key: { person: 1 }, partialFilterExpression: { person: { $exists: true } } },
    ]);
}
