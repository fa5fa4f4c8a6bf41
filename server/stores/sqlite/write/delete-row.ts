/** Deletes: a row leaves reads, searches and access; its versions stay, and so does what says who may know of them. */
import { rightsLeftBy } from '../../../access/rights-of.ts';
import type { Database } from '../database.ts';
import { givenBy, giveRights } from '../rights/give-rights.ts';
import { removeRow, standingRow } from './write-rows.ts';

/**
 * Deletes a row, whose readers are kept already; an absent one changes nothing. The deletion is a version of its own,
 * with an empty text.
 */
export function deleteRow(db: Database, type: string, id: string, now: number): void {
  const row = standingRow(db, type, id);
  if (row === undefined) return;
  keepHistory(db, type, id);
  const version = row.version + 1;
  db.run("INSERT INTO history (type, id, version, updated, json) VALUES (?, ?, ?, ?, '')", type, id, version, now);
  db.run(
    `INSERT INTO deleted (type, id, version, updated, sort, person, subject, patient, level, released)
     SELECT type, id, ?, ?, sort, person, subject, patient, level, released FROM resource WHERE rid = ?`,
    version,
    now,
    row.rid,
  );
  removeRow(db, row.rid);
  const item = `${type}/${id}`;
  const given = givenBy(db, item);
  giveRights(db, item, given, rightsLeftBy(given));
}

/** Keeps who sees a row that is going to be deleted: they may know of its deletion. */
export function keepReaders(db: Database, type: string, id: string): void {
  db.run(
    `INSERT OR IGNORE INTO deleted_reader (principal, type, id)
     SELECT a.principal, x.type, x.id FROM resource x JOIN acl a ON a.rid = x.rid WHERE x.type = ? AND x.id = ?`,
    type,
    id,
  );
}

/** Keeps the present version of a row as a former one. */
export function keepHistory(db: Database, type: string, id: string): void {
  db.run(
    `INSERT INTO history (type, id, version, updated, json, blob_name, blob_size, subject)
     SELECT type, id, version, updated, json, blob_name, blob_size, subject FROM resource WHERE type = ? AND id = ?`,
    type,
    id,
  );
}

/** Forgets that a row was deleted, as it is put again or erased. Its versions are not touched. */
export function forgetDeletion(db: Database, type: string, id: string): void {
  db.run('DELETE FROM deleted WHERE type = ? AND id = ?', type, id);
  db.run('DELETE FROM deleted_reader WHERE type = ? AND id = ?', type, id);
}
