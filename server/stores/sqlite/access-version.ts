/** The number by which a reading connection knows that who a requester is has not changed (migrations/005). */
import type { Database } from './database.ts';

/** Reads it from the file of records or that of tokens, again only after the writer has committed to either. */
export class AccessVersion {
  readonly #db: Database;
  readonly #commits: () => bigint;
  #known: { readonly at: bigint; readonly version: number } | undefined;

  /** `commits` counts the transactions of the writer. */
  constructor(db: Database, commits: () => bigint) {
    this.#db = db;
    this.#commits = commits;
  }

  /** The number now. */
  read(): number {
    // Counted first: what is committed in between is read again the next time.
    const at = this.#commits();
    if (this.#known?.at !== at) this.#known = { at, version: versionIn(this.#db) };
    return this.#known.version;
  }
}

function versionIn(db: Database): number {
  return db.get<{ version: number }>('SELECT version FROM access_version')?.version ?? 0;
}
