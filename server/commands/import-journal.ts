/**
 * Which files an import has done, so that one that was broken off goes on where it was. A file is known by a digest of
 * establishment, path, size and time of change: names of folders and files often are those of patients, and none is
 * kept.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { WalkedFile } from './walk-files.ts';

const FILE = 'import-journal.sqlite';
const BATCH = 64;
const BATCH_MS = 200;

/**
 * The journal of a data folder. What it says is done is durable; what it does not say may be done again, to no effect.
 */
export class ImportJournal {
  readonly #database: DatabaseSync;
  readonly #find: StatementSync;
  readonly #add: StatementSync;
  #waiting: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#find = database.prepare('SELECT 1 FROM done WHERE file = ?');
    this.#add = database.prepare('INSERT OR IGNORE INTO done (file) VALUES (?)');
  }

  /** Opens the journal; several imports may have it open. */
  static async open(dataDir: string): Promise<ImportJournal> {
    const path = join(dataDir, FILE);
    const isNew = !existsSync(path);
    const database = new DatabaseSync(path, { timeout: 30_000 });
    if (isNew) await chmod(path, 0o600);
    // No write-ahead log: several servers may share the folder, from several machines.
    database.exec('PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS done (file BLOB PRIMARY KEY) WITHOUT ROWID;');
    return new ImportJournal(database);
  }

  /** The name of a file in the journal. */
  static key(organization: string, { path, size, mtimeMs }: WalkedFile): Buffer {
    return createHash('sha256').update(`${organization}\n${size}\n${mtimeMs}\n`).update(path).digest().subarray(0, 16);
  }

  /** Whether a file is done. */
  has(file: Buffer): boolean {
    return this.#find.get(file) !== undefined;
  }

  /** Notes that a file is done; it is flushed with others. */
  add(file: Buffer): void {
    this.#waiting.push(file);
    if (this.#waiting.length >= BATCH) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
  }

  /** Flushes and closes. */
  close(): void {
    this.#flush();
    this.#database.close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.#database.exec('BEGIN IMMEDIATE');
    for (const file of this.#waiting.splice(0)) this.#add.run(file);
    this.#database.exec('COMMIT');
  }
}
