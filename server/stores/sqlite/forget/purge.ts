/** Removes what has served its time: receipts of old plans, tokens and single-use names that have expired. */
import { storageTrouble, type Database } from '../database.ts';

/** A plan is not sent again after this long. */
const RECEIPT_AGE_MS = 86_400_000;
/** Tokens stay a little after their end: a revoked family is still recognised. */
const TOKEN_GRACE_SECONDS = 86_400;
/** Rows removed at a time, so that no write waits long. */
const BATCH = 5_000;

/** Purges once, unless the disk is in trouble: then the next turn does; `now` is epoch milliseconds. */
export function tryPurge(records: Database, tokens: Database, now: number): void {
  try {
    purgeExpired(records, tokens, now);
  } catch (error) {
    if (storageTrouble(error) === undefined) throw error;
  }
}

/** Purges once; `now` is epoch milliseconds. */
export function purgeExpired(records: Database, tokens: Database, now: number): void {
  records.run(
    `DELETE FROM plan WHERE id IN (SELECT id FROM plan WHERE committed_at < ? LIMIT ${BATCH})`,
    now - RECEIPT_AGE_MS,
  );
  const seconds = Math.floor(now / 1000);
  tokens.run(
    `DELETE FROM token WHERE (model, id) IN (SELECT model, id FROM token WHERE expires_at < ? LIMIT ${BATCH})`,
    seconds - TOKEN_GRACE_SECONDS,
  );
  tokens.run(
    `DELETE FROM used_name WHERE name IN (SELECT name FROM used_name WHERE expires_at < ? LIMIT ${BATCH})`,
    seconds,
  );
}
