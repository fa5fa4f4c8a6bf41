/**
 * Whether a principal holds at least so many rows of a type. To count a thousand is most of what a page costs those who
 * see much, so that there are so many is kept for as long as nothing is committed to the file, and until the first of
 * the rights that were counted ends.
 */
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { Database } from '../database.ts';

/** `version` is the file's when it was counted. @see https://www.sqlite.org/pragma.html#pragma_data_version */
type Known = { readonly version: number; readonly from: number; readonly until: number };

const MOST = 1_000;
const KEPT = new WeakMap<Database, Map<string, Known>>();

/** Tells it in the present snapshot; `now` is epoch milliseconds. */
export function holdsAtLeast(db: Database, holder: string, type: StoredType, limit: number, now: number): boolean {
  const kept = KEPT.get(db) ?? new Map<string, Known>();
  KEPT.set(db, kept);
  const key = `${limit} ${type} ${holder}`;
  const { data_version: version = 0 } = db.get<{ data_version: number }>('PRAGMA data_version') ?? {};
  const known = kept.get(key);
  if (known !== undefined && known.version === version && known.from <= now && now < known.until) return true;
  kept.delete(key);
  const { n = 0, until = 0 } = db.get<{ n: number; until: number }>(COUNT, holder, type, now, now, limit) ?? {};
  if (n < limit) return false;
  if (kept.size >= MOST) kept.clear();
  kept.set(key, { version, from: now, until });
  return true;
}

/** Several rights to a row count once. */
const COUNT = `SELECT count(*) AS n, min(ends) AS until FROM (
  SELECT min(valid_to) AS ends FROM acl WHERE principal = ? AND type = ? AND valid_from <= ? AND valid_to > ?
  GROUP BY sort, id LIMIT ?)`;
