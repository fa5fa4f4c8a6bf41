/** Rows that are filed under an identity become another person's, who is shown by her Patient: all in one go. */
import { principal } from '../../../access/right.ts';
import type { Move } from '../../../ports/commit-plan.ts';
import type { Database } from '../database.ts';
import type { AccessRow } from '../rights/materialise.ts';

/** Moves the rows of an identity that stand and what they refer to; answers them. Their access is to be written. */
export function moveRows(db: Database, { identity, from, to, patient }: Move): readonly AccessRow[] {
  const rows = db.all<AccessRow>(ROWS, from, identity);
  if (rows.length === 0) return rows;
  const rids = JSON.stringify(rows.map(({ rid }) => rid));
  const isHome = patient === identity;
  db.run(KEEP_FILED, rids);
  db.run(`DELETE FROM reference WHERE rid IN (${LISTED}) AND substr(target, 1, 8) = 'Patient/'`, rids);
  db.run(REFER, identity, patient, rids);
  if (isHome) db.run(`DELETE FROM filed_reference WHERE rid IN (${LISTED})`, rids);
  db.run(`UPDATE resource SET person = ?, patient = ? WHERE rid IN (${LISTED})`, to, isHome ? null : patient, rids);
  db.run(`DELETE FROM acl WHERE rid IN (${LISTED})`, rids);
  db.run(
    READERS,
    principal.patient(to),
    principal.patient(from),
    JSON.stringify(rows.map(({ type, id }) => [type, id])),
  );
  return rows;
}

const ROWS = `SELECT rid, type, id, sort, level, released FROM resource WHERE person = ? AND subject = ? ORDER BY rid`;

const LISTED = 'SELECT value FROM json_each(?)';

/** What rows refer to as they were filed, of those that are shown so until now. */
const KEEP_FILED = `INSERT INTO filed_reference (rid, param, target)
  SELECT r.rid, r.param, r.target FROM json_each(?) j CROSS JOIN resource x ON x.rid = j.value AND x.patient IS NULL
  CROSS JOIN reference r INDEXED BY reference_rid ON r.rid = x.rid WHERE substr(r.target, 1, 8) = 'Patient/'`;

const REFER = `INSERT OR IGNORE INTO reference (param, target, rid)
  SELECT f.param, iif(f.target = ?, ?, f.target), f.rid
  FROM json_each(?) j CROSS JOIN filed_reference f ON f.rid = j.value`;

/** The patient who saw a row before it was deleted is the person that it is of. */
const READERS = `UPDATE OR IGNORE deleted_reader SET principal = ? WHERE principal = ? AND (type, id) IN (
  SELECT value ->> 0, value ->> 1 FROM json_each(?))`;

/** Moves the rows of an identity that were deleted; answers them by `Type/id`. */
export function moveDeleted(db: Database, { identity, from, to, patient }: Move): readonly string[] {
  const rows = db.all<{ type: string; id: string }>(
    'UPDATE deleted SET person = ?, patient = ? WHERE person = ? AND subject = ? RETURNING type, id',
    to,
    patient === identity ? null : patient,
    from,
    identity,
  );
  const keys = JSON.stringify(rows.map(({ type, id }) => [type, id]));
  if (rows.length > 0) db.run(READERS, principal.patient(to), principal.patient(from), keys);
  return rows.map(({ type, id }) => `${type}/${id}`);
}
