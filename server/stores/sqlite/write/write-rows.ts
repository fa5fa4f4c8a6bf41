/** Writes resource rows and their search values. */
import { encodeLabel } from '../../../../profiles/confidentiality.ts';
import type { IndexEntries, RowIndex } from '../../../../profiles/search/indexer.ts';
import type { Put } from '../../../ports/commit-plan.ts';
import type { Database } from '../database.ts';

/** A row as the writer needs it again: its key, version and what rights depend on. */
export type StandingRow = {
  readonly rid: number;
  readonly version: number;
  readonly sort: number;
  readonly person: string | null;
  /** The number of its label. */
  readonly level: number;
  readonly released: number;
  /** JSON of an Origin. */
  readonly origin: string | null;
};

/** The columns of a put; `json` is the whole text. */
export type RowValues = Omit<Put, 'resource' | 'index'> & {
  readonly json: string;
  readonly version: number;
  readonly updated: number;
  /** `Patient/id` that is shown in place of the subject. */
  readonly patient: string | undefined;
};

/** The row that stands under a type and id. */
export function standingRow(db: Database, type: string, id: string): StandingRow | undefined {
  return db.get<StandingRow>(
    'SELECT rid, version, sort, person, level, released, origin FROM resource WHERE type = ? AND id = ?',
    type,
    id,
  );
}

/** Inserts or replaces a row and its search values; returns its rid. */
export function writeRow(db: Database, standing: StandingRow | undefined, row: RowValues, index: RowIndex): number {
  if (standing !== undefined) clearIndex(db, standing.rid);
  const saved = db.get<{ rid: number }>(UPSERT, ...columnsOf(row), index.definition, row.patient ?? null);
  if (saved === undefined) throw new Error('The row was not written');
  writeIndex(db, saved.rid, row.type, index);
  if (row.patient !== undefined) referToPresent(db, saved.rid, row.subject ?? null, row.patient);
  return saved.rid;
}

const UPSERT = `INSERT INTO resource
  (type, id, version, updated, sort, person, subject, level, released, parent_type, parent_id, blob_name, blob_size,
   json, origin, definition, patient)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (type, id) DO UPDATE SET version = excluded.version, updated = excluded.updated, sort = excluded.sort,
    person = excluded.person, subject = excluded.subject, level = excluded.level, released = excluded.released,
    parent_type = excluded.parent_type, parent_id = excluded.parent_id, blob_name = excluded.blob_name,
    blob_size = excluded.blob_size,
    json = excluded.json, origin = excluded.origin, definition = excluded.definition, patient = excluded.patient
  RETURNING rid`;

function columnsOf(row: RowValues): (string | number | null)[] {
  const [parentType = null, parentId = null] = row.parent?.split('/') ?? [];
  return [
    row.type,
    row.id,
    row.version,
    row.updated,
    row.sort,
    row.person ?? null,
    row.subject ?? null,
    encodeLabel(row),
    row.released ? 1 : 0,
    parentType,
    parentId,
    row.blob?.name ?? null,
    row.blob?.size ?? null,
    row.json,
    row.origin === undefined ? null : JSON.stringify(row.origin),
  ];
}

/** Removes a row, its search values and its access. */
export function removeRow(db: Database, rid: number): void {
  clearIndex(db, rid);
  db.run('DELETE FROM acl WHERE rid = ?', rid);
  db.run('DELETE FROM resource WHERE rid = ?', rid);
}

/** Writes the search values of a row that stands anew. */
export function rewriteIndex(db: Database, rid: number, type: string, index: IndexEntries): void {
  const row = db.get<{ subject: string | null; patient: string | null }>(SHOWN, rid);
  clearIndex(db, rid);
  writeIndex(db, rid, type, index);
  const patient = row?.patient ?? null;
  if (patient !== null) referToPresent(db, rid, row?.subject ?? null, patient);
}

const SHOWN = 'SELECT subject, patient FROM resource WHERE rid = ?';

/**
 * A row is found by the Patient that is shown in place of the one that it is filed under. What it refers to as it was
 * filed is kept for when it moves.
 */
function referToPresent(db: Database, rid: number, subject: string | null, patient: string): void {
  db.run(
    `INSERT INTO filed_reference (rid, param, target)
     SELECT rid, param, target FROM reference WHERE rid = ? AND substr(target, 1, 8) = 'Patient/'`,
    rid,
  );
  db.run('UPDATE OR REPLACE reference SET target = ? WHERE rid = ? AND target = ?', patient, rid, subject);
}

function clearIndex(db: Database, rid: number): void {
  db.run('DELETE FROM token WHERE rid = ?', rid);
  db.run('DELETE FROM reference WHERE rid = ?', rid);
  db.run('DELETE FROM filed_reference WHERE rid = ?', rid);
  db.run('DELETE FROM date_range WHERE rid = ?', rid);
  db.run('DELETE FROM string_value WHERE rid = ?', rid);
}

function writeIndex(db: Database, rid: number, type: string, index: IndexEntries): void {
  const name = (param: string): string => `${type}.${param}`;
  for (const { param, value, system } of index.tokens) {
    db.run(
      'INSERT OR IGNORE INTO token (param, value, system, rid) VALUES (?, ?, ?, ?)',
      name(param),
      value,
      system,
      rid,
    );
  }
  for (const { param, target } of index.references) {
    db.run('INSERT OR IGNORE INTO reference (param, target, rid) VALUES (?, ?, ?)', name(param), target, rid);
  }
  for (const { param, lo, hi } of index.dates) {
    db.run('INSERT OR IGNORE INTO date_range (param, lo, hi, rid) VALUES (?, ?, ?, ?)', name(param), lo, hi, rid);
  }
  for (const { param, value } of index.strings) {
    db.run('INSERT OR IGNORE INTO string_value (param, value, rid) VALUES (?, ?, ?)', name(param), value, rid);
  }
}
