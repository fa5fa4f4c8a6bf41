/** How many rows the access table shows to some principals. */
import type { Principal } from '../../../access/right.ts';
import type { Database } from '../database.ts';

const COUNT = `SELECT count(DISTINCT rid) AS n FROM json_each(?) k CROSS JOIN acl a ON a.principal = k.value
  WHERE a.valid_from <= ? AND a.valid_to > ?`;

/** Counts each row once; `now` is epoch milliseconds. */
export function shownRows(db: Database, principals: readonly Principal[], now: number): number {
  return db.get<{ n: number }>(COUNT, JSON.stringify(principals), now, now)?.n ?? 0;
}
