/**
 * Forgets what was deleted: nothing of it is left in write-ahead logs and in the free space of pages. A step takes some
 * pages, so that writes wait for a few milliseconds only.
 */
import type { Database } from '../database.ts';
import { FreeSpace } from './free-space.ts';

/** How long a checkpoint waits for readers before writes go on. */
const CHECKPOINT_WAIT_MS = 100;

/** Forgets in a file, between the transactions of its only writer. */
export class Forgetting {
  readonly #database: Database;
  readonly #free: FreeSpace;

  constructor(path: string, database: Database) {
    this.#database = database;
    this.#free = new FreeSpace(path);
  }

  /** From a page on; answers the page to go on with, `undefined` at the end, `busy` when a reader was in the way. */
  step(from: number): number | undefined | 'busy' {
    if (!emptyLog(this.#database)) return 'busy';
    // A page kept in memory would be written back as it was.
    this.#database.script('PRAGMA shrink_memory');
    return this.#free.overwrite(from);
  }

  /** After the connection is closed. */
  close(): void {
    this.#free.close();
  }
}

/** Moves every page of the write-ahead log into the file, and cuts the log off. */
function emptyLog(database: Database): boolean {
  const { timeout = 0 } = database.get<{ timeout: number }>('PRAGMA busy_timeout') ?? {};
  database.script(`PRAGMA busy_timeout = ${CHECKPOINT_WAIT_MS}`);
  try {
    return database.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)')?.busy === 0;
  } finally {
    database.script(`PRAGMA busy_timeout = ${timeout}`);
  }
}
