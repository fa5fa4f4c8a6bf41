/** Opens the embedded store: a data folder, its lock, the writer threads and the readers. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { SearchIndex } from '../../ports/search-index.ts';
import type { TokenStore } from '../../ports/token-store.ts';
import { openReader } from './database.ts';
import { SqliteJobQueue } from './job-queue.ts';
import { lockDataFolder } from './lock.ts';
import { SqliteRecordStore } from './records.ts';
import { SqliteSearchIndex } from './search-index/search-index.ts';
import { SqliteTokenStore } from './tokens.ts';
import { SqliteAuditTrail } from './audit/trail.ts';
import { startWriters } from './write/writers.ts';

/** The ports of one database. */
export type OpenedStores = {
  readonly records: RecordStore;
  readonly trail: AuditTrail;
  readonly tokens: TokenStore;
  readonly jobs: JobQueue;
  readonly index: SearchIndex;
  close(): Promise<void>;
};

/**
 * Opens the store of a data folder; makes the folder when it is absent.
 * @throws {Fault} conflict - another server runs on the folder
 */
export async function openSqliteStores({ dataDir }: { dataDir: string }): Promise<OpenedStores> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockDataFolder(dataDir);
  try {
    const writers = await startWriters(dataDir);
    const reader = (name: string): ReturnType<typeof openReader> => openReader(join(dataDir, `${name}.sqlite`));
    const [trail, rows] = [reader('trail'), reader('records')];
    const jobs = new SqliteJobQueue(rows, writers.records);
    const records = new SqliteRecordStore(rows, trail, writers, (asked) => jobs.tell(asked));
    const tokens = new SqliteTokenStore(reader('tokens'), writers);
    const close = async (): Promise<void> => {
      tokens.close();
      await records.close();
      unlock();
    };
    const index = new SqliteSearchIndex(rows, writers.records);
    return { records, trail: new SqliteAuditTrail(trail, rows, writers), tokens, jobs, index, close };
  } catch (error) {
    unlock();
    throw error;
  }
}
