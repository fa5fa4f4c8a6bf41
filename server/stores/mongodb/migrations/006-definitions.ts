/** Schema 6: rows are found by the version of the definition that they are indexed under, and definitions are kept. */
import type { Db } from 'mongodb';

/** Creates what is missing, so that it may be run again. */
export async function createDefinitions(db: Db): Promise<void> {
  const standing = await db.listCollections({ name: 'index_definitions' }, { nameOnly: true }).toArray();
  if (standing.length === 0) await db.createCollection('index_definitions');
  await db.collection('rows').createIndex({ type: 1, definition: 1 });
}
