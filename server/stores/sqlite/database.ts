/** The only module that names node:sqlite's class, and the settings that every connection needs. */
import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Fault } from '../../../profiles/fault.ts';

/** A value that can be bound. Numbers are bound as they are; text stays text. */
export type Bindable = string | number | null | Uint8Array;

/** A connection with its prepared statements; a statement is prepared once. */
export class Database {
  readonly #handle: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(handle: DatabaseSync) {
    this.#handle = handle;
  }

  /** Runs statements without results. */
  script(sql: string): void {
    this.#handle.exec(sql);
  }

  /** Runs one statement; returns the number of changed rows. */
  run(sql: string, ...values: readonly Bindable[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** First row, or undefined. `T` is what the statement selects. */
  get<T>(sql: string, ...values: readonly Bindable[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined;
  }

  /** All rows. */
  all<T>(sql: string, ...values: readonly Bindable[]): T[] {
    return this.#prepare(sql).all(...values) as T[];
  }

  /** Rows one by one. */
  iterate<T>(sql: string, ...values: readonly Bindable[]): IterableIterator<T> {
    return this.#prepare(sql).iterate(...values) as IterableIterator<T>;
  }

  close(): void {
    this.#statements.clear();
    this.#handle.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#handle.prepare(sql);
      if (this.#statements.size >= STATEMENT_LIMIT) this.#statements.clear();
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** Ends a transaction that an error may have left open. */
export function undoOpen(database: Database): void {
  try {
    database.script('ROLLBACK');
  } catch {
    // No transaction is open any more: the engine rolled it back itself.
  }
}

/** Runs work in a transaction of its own; when it throws, nothing of it stands. */
export function transaction(database: Database, work: () => void): void {
  try {
    database.script('BEGIN IMMEDIATE');
    work();
    database.script('COMMIT');
  } catch (error) {
    undoOpen(database);
    throw error;
  }
}

/**
 * Runs a transaction that is not synced: a power cut may undo it, as a whole, until the next one that is. Such work
 * must be work that is found undone, and done again.
 */
export function repeatable(database: Database, work: () => void): void {
  unsynced(database, () => transaction(database, work));
}

/** Does work whose transactions are {@link repeatable}. */
export function unsynced<T>(database: Database, work: () => T): T {
  database.script('PRAGMA synchronous = NORMAL');
  try {
    return work();
  } finally {
    database.script('PRAGMA synchronous = FULL');
  }
}

/** Result codes of SQLite that tell of the disk, not of the statement. @see https://www.sqlite.org/rescode.html */
const STORAGE_CODE = { busy: 5, ioError: 10, full: 13, cannotOpen: 14 } as const;

/** What the disk has to do with an error: it is full, or cannot be written or read now; undefined when nothing. */
/**
 * Whether a value stands already where each comes once, beside the primary key.
 * @see https://www.sqlite.org/rescode.html
 */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === CONSTRAINT_UNIQUE;
}

const CONSTRAINT_UNIQUE = 2067;

export function storageTrouble(error: unknown): 'full' | 'failing' | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  const code = error.errcode & 0xff;
  if (code === STORAGE_CODE.full) return 'full';
  return Object.values<number>(STORAGE_CODE).includes(code) ? 'failing' : undefined;
}

const STATEMENT_LIMIT = 500;

/**
 * Pages that are kept count for each connection, and there are six: the system keeps the files' pages anyway, once for
 * all of them. For the same reason no file is mapped: each connection would hold the pages it has touched.
 *
 * WAL with FULL: a commit that was answered survives a power cut. secure_delete: deleted bytes are overwritten. A log
 * of 8 MB: a commit waits 10 ms at most for a checkpoint, and soon nothing grows, which is most of the cost of a sync.
 */
const WRITER = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
  PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096; PRAGMA busy_timeout = 5000;
  PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 2000;`;

const READER = `PRAGMA query_only = ON; PRAGMA cache_size = -8192;
  PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY;`;

/** Opens the one connection that writes a file; makes the file when it is absent. */
export function openWriter(path: string): Database {
  const handle = new DatabaseSync(path);
  handle.exec(WRITER);
  return new Database(handle);
}

/** Opens a connection that only reads. */
export function openReader(path: string): Database {
  return withSettings(new DatabaseSync(path, { readOnly: true }));
}

function withSettings(handle: DatabaseSync): Database {
  handle.exec(READER);
  return new Database(handle);
}

/** A connection that leaves no trace, and whether the file is still as used or unused as when it was opened. */
export type Observer = { readonly database: Database; readonly isStill: () => boolean };

/**
 * Opens a connection that reads and writes nothing, not even the index of the write-ahead log that SQLite makes beside
 * a file that nobody uses: the server could not open one that another account made.
 * @throws {Fault} not-supported - there is a log, and no place to read it from
 * @see https://www.sqlite.org/wal.html section 5 (read-only databases)
 */
export function openObserver(path: string): Observer {
  const isUsed = (): boolean => existsSync(`${path}-wal`) || existsSync(`${path}-shm`);
  if (!isUsed()) {
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    return { database: withSettings(new DatabaseSync(url, { readOnly: true })), isStill: () => !isUsed() };
  }
  try {
    return { database: openReader(path), isStill: () => true };
  } catch (cause) {
    const advice = 'copy the folder, with its -wal files, to where it can be written';
    throw new Fault('not-supported', `The write-ahead log of ${path} cannot be read here: ${advice}`, { cause });
  }
}
