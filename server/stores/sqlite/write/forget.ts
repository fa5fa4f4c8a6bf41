/**
 * Forgets what was deleted: nothing of it is left in write-ahead logs and in the free space of pages. A step takes some
 * pages, so that writes wait for a few milliseconds only.
 */
import { join } from 'node:path';
import type { Database } from '../database.ts';
import { FreeSpace } from './free-space.ts';
import type { ForgettingFile, Orders } from './protocol.ts';

/** How long a checkpoint waits for readers before writes go on, and what other statements wait. */
const CHECKPOINT_WAIT_MS = 100;
const BUSY_TIMEOUT_MS = 5_000;

/** Forgets in the files of a data folder, between the transactions of their only writer. */
export class Forgetting {
  readonly #files: Readonly<Record<ForgettingFile, Database>>;
  readonly #free: Readonly<Record<ForgettingFile, FreeSpace>>;

  constructor(dataDir: string, files: Readonly<Record<ForgettingFile, Database>>) {
    this.#files = files;
    const free = (name: ForgettingFile): FreeSpace => new FreeSpace(join(dataDir, `${name}.sqlite`));
    this.#free = { records: free('records'), trail: free('trail') };
  }

  /** Answers the page to go on with, `undefined` at the end, `busy` when a reader was in the way. */
  step({ file, from }: Orders['forget']['order']): Orders['forget']['answer'] {
    const database = this.#files[file];
    if (!emptyLog(database)) return 'busy';
    // A page kept in memory would be written back as it was.
    database.script('PRAGMA shrink_memory');
    return this.#free[file].overwrite(from);
  }

  /** After the files are closed. */
  close(): void {
    for (const free of Object.values(this.#free)) free.close();
  }
}

/** Moves every page of the write-ahead log into the file, and cuts the log off. */
function emptyLog(database: Database): boolean {
  database.script(`PRAGMA busy_timeout = ${CHECKPOINT_WAIT_MS}`);
  try {
    return database.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)')?.busy === 0;
  } finally {
    database.script(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  }
}
