/** Opens the stores on MongoDB. */
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { SearchIndex } from '../../ports/search-index.ts';
import type { TokenStore } from '../../ports/token-store.ts';
import { collectionsOf } from './collections.ts';
import { connect } from './connect.ts';
import { MongoJobQueue } from './job-queue.ts';
import { MongoRecordStore } from './records.ts';
import { migrate } from './schema.ts';
import { Sealer, type SealerLog } from './audit/sealer.ts';
import { MongoSearchIndex } from './search-index.ts';
import { Turns } from './write/turns.ts';
import { MongoTokenStore } from './tokens.ts';
import { MongoAuditTrail } from './audit/trail.ts';

/** What is needed to open the stores. `uri` may name a database; without one it is `passerelle`. */
export type MongoStoresOptions = { readonly uri: string; readonly log?: SealerLog };

/** Open stores; `close` ends the connection of all of them. */
export type MongoStores = {
  readonly records: RecordStore;
  readonly trail: AuditTrail;
  readonly tokens: TokenStore;
  readonly jobs: JobQueue;
  readonly index: SearchIndex;
  close(): Promise<void>;
};

/**
 * Connects, brings the schema up to date, and begins to seal audit events. Any number of processes may do so at once.
 * @throws {Fault} not-supported - no replica set, no transactions, or a newer schema
 * @throws {Fault} transient - the server is out of reach
 */
export async function openMongoStores({ uri, log }: MongoStoresOptions): Promise<MongoStores> {
  const { client, db } = await connect(uri);
  const collections = collectionsOf(client, db);
  try {
    await migrate(db, collections);
  } catch (error) {
    await client.close();
    throw error;
  }
  const sealer = new Sealer(collections, log);
  sealer.start();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing ??= sealer
      .stop()
      .catch(() => {})
      .then(async () => await client.close());
    await closing;
  };
  const jobs = new MongoJobQueue(collections);
  const turns = new Turns();
  return {
    jobs,
    index: new MongoSearchIndex(collections, turns),
    records: new MongoRecordStore(collections, turns, (asked) => jobs.tell(asked), close),
    trail: new MongoAuditTrail(collections, sealer),
    tokens: new MongoTokenStore(collections),
    close,
  };
}
