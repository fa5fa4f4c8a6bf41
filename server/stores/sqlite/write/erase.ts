/** Erasure: what a plan names is deleted with everything that tells of it. Pages are overwritten (`secure_delete`). */
import { afterStem } from '../../../ports/claim-key.ts';
import type { Erasure } from '../../../ports/commit-plan.ts';
import type { Database } from '../database.ts';
import { forgetDeletion } from './delete-row.ts';
import { givenBy, giveRights } from '../rights/give-rights.ts';
import { eraseJob } from './write-jobs.ts';
import { removeRow, standingRow } from './write-rows.ts';

type Named = NonNullable<Erasure['rows']>[number];

/** Erases all but the history of rows that stay, and answers the names of the blobs that are referred to no more. */
export function erase(
  db: Database,
  { rows = [], instances = [], quarantined = [], claims = [], claimsUnder = [], jobs = [] }: Erasure,
): string[] {
  const blobs = [
    ...rows.flatMap((row) => eraseRow(db, row)),
    ...instances.flatMap((uid) =>
      blobsOf(db, 'DELETE FROM instance WHERE sop_instance_uid = ? RETURNING blob_name', uid),
    ),
    ...quarantined.flatMap(({ sopInstanceUID, dataSetDigest, source }) =>
      blobsOf(
        db,
        'DELETE FROM quarantine WHERE sop_instance_uid = ? AND data_set_digest = ? AND source = ? RETURNING blob_name',
        sopInstanceUID,
        dataSetDigest,
        source,
      ),
    ),
  ];
  for (const key of claims) db.run('DELETE FROM claim WHERE key = ?', key);
  for (const begin of claimsUnder) db.run('DELETE FROM claim WHERE key >= ? AND key < ?', begin, afterStem(begin));
  for (const job of jobs) eraseJob(db, job);
  return blobs;
}

function eraseRow(db: Database, { type, id }: Named): string[] {
  forgetDeletion(db, type, id);
  const former = eraseHistory(db, { type, id });
  const item = `${type}/${id}`;
  giveRights(db, item, givenBy(db, item), []);
  const standing = standingRow(db, type, id);
  if (standing === undefined) return former;
  const blobs = blobsOf(db, 'SELECT blob_name FROM resource WHERE rid = ? AND blob_name IS NOT NULL', standing.rid);
  removeRow(db, standing.rid);
  return [...former, ...blobs];
}

/**
 * Erases the former versions of a row, which its deletion is not. A blob that the standing row still refers to is not
 * given up.
 */
export function eraseHistory(db: Database, { type, id }: Named): string[] {
  const former = blobsOf(db, FORMER, type, id);
  const present = new Set(blobsOf(db, 'SELECT blob_name FROM resource WHERE type = ? AND id = ?', type, id));
  return former.filter((name) => !present.has(name));
}

const FORMER = `DELETE FROM history WHERE type = ?1 AND id = ?2
  AND version NOT IN (SELECT version FROM deleted WHERE type = ?1 AND id = ?2) RETURNING blob_name`;

function blobsOf(db: Database, sql: string, ...values: readonly (string | number)[]): string[] {
  return db
    .all<{ blob_name: string | null }>(sql, ...values)
    .flatMap(({ blob_name: name }) => (name === null ? [] : [name]));
}
