/** The number by which a reading connection knows that who a requester is has not changed (migrations/005). */
import type { Database } from './database.ts';

/** Reads it; the file is that of records or that of tokens. */
export function accessVersion(db: Database): number {
  return db.get<{ version: number }>('SELECT version FROM access_version')?.version ?? 0;
}
