/** Schema 2: received instances that are kept aside. */
import type { Db } from 'mongodb';

/** Creates what is missing, so that it may be run again. */
export async function createQuarantine(db: Db): Promise<void> {
  const standing = await db.listCollections({ name: 'quarantine' }, { nameOnly: true }).toArray();
  if (standing.length === 0) await db.createCollection('quarantine');
  await db.collection('quarantine').createIndex({ receivedAt: 1, sopInstanceUID: 1 });
}
