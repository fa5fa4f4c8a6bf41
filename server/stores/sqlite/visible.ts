/** The grant as SQL: the same condition for every statement that a requester's read makes. */
import { isStoredType, VISIBILITY, type StoredType } from '../../../profiles/visibility.ts';
import type { Grant } from '../../access/grant.ts';
import { personKey } from '../../access/requester.ts';
import type { Relation } from '../../access/right.ts';
import type { BlobRef } from '../../ports/image-store.ts';
import type { ShownBy, VisibleRow } from '../../ports/record-store.ts';
import { marks, type Sql } from './criteria.ts';
import type { Database } from './database.ts';

/** Where the bytes of a row lie; all null when it has none. */
export type BlobColumns = { blob_name: string | null; blob_size: number | null; blob_sha256: string | null };

/** The blob of a row. */
export function blobOf(row: BlobColumns): BlobRef | undefined {
  if (row.blob_name === null) return undefined;
  return { name: row.blob_name, size: row.blob_size ?? 0, sha256: row.blob_sha256 ?? '' };
}

/** A row as selected by {@link ROW_COLUMNS}. */
export type SelectedRow = BlobColumns & {
  rid: number; type: string; id: string; version: number; updated: number; sort: number; person: string | null;
  subject: string | null; released: number; parent_type: string | null; parent_id: string | null; json: string;
};

/** The columns of {@link SelectedRow}, of a table named `x`. */
export const ROW_COLUMNS = 'x.rid, x.type, x.id, x.version, x.updated, x.sort, x.person, x.subject, x.blob_name, x.blob_size, x.blob_sha256, x.released, x.parent_type, x.parent_id, x.json';

/** Whether rows of a type need no right under a grant. */
export function isOpen(grant: Grant, type: StoredType): boolean {
  return grant.system || VISIBILITY[type] === 'directory';
}

/** Whether rows of a type are seen as their parent. */
export function isPart(type: StoredType): boolean {
  return VISIBILITY[type] === 'part';
}

/** The row whose access counts for a row `x`. */
function accessRid(type: StoredType): string {
  return isPart(type) ? '(SELECT p.rid FROM resource p WHERE p.type = x.parent_type AND p.id = x.parent_id)' : 'x.rid';
}

/** The condition that a row `x` is visible. A grant without principals sees nothing. */
export function visibleCondition(grant: Grant, type: StoredType): Sql {
  if (isOpen(grant, type)) return { text: '', values: [] };
  return {
    text: ` AND EXISTS (SELECT 1 FROM acl INDEXED BY acl_row WHERE rid = ${accessRid(type)}
      AND principal IN (${marks(grant.principals)}) AND valid_from <= ? AND valid_to > ?)`,
    values: [...grant.principals, grant.now, grant.now],
  };
}

/** Finds a visible row by type and id. */
export function visibleRow(db: Database, grant: Grant, type: StoredType, id: string): VisibleRow | undefined {
  const condition = visibleCondition(grant, type);
  const row = db.get<SelectedRow>(
    `SELECT ${ROW_COLUMNS} FROM resource x WHERE x.type = ? AND x.id = ?${condition.text}`,
    type,
    id,
    ...condition.values,
  );
  return row === undefined ? undefined : toVisibleRow(db, grant, row);
}

/** Adds to a selected row the right that shows it. */
export function toVisibleRow(db: Database, grant: Grant, row: SelectedRow): VisibleRow {
  if (!isStoredType(row.type)) throw new Error('The store holds a type that has no class');
  return {
    type: row.type, id: row.id, version: row.version, updated: row.updated, sort: row.sort, json: row.json, blob: blobOf(row),
    person: row.person === null ? undefined : personKey(row.person),
    subject: row.subject ?? undefined,
    released: row.released === 1,
    shownBy: isOpen(grant, row.type) ? undefined : shownBy(db, grant, accessRow(db, row)),
  };
}

function accessRow(db: Database, row: SelectedRow): number {
  if (row.parent_type === null) return row.rid;
  const parent = db.get<{ rid: number }>('SELECT rid FROM resource WHERE type = ? AND id = ?', row.parent_type, row.parent_id);
  return parent?.rid ?? row.rid;
}

/** The right that shows a row; of several, the first by principal as the grant lists them. */
function shownBy(db: Database, grant: Grant, rid: number): ShownBy | undefined {
  for (const holder of grant.principals) {
    const row = db.get<{ right_id: string; relation: string; source: string | null }>(
      'SELECT right_id, relation, source FROM acl INDEXED BY acl_row WHERE rid = ? AND principal = ? AND valid_from <= ? AND valid_to > ? LIMIT 1',
      rid, holder, grant.now, grant.now,
    );
    if (row !== undefined) return { rightId: row.right_id, relation: row.relation as Relation, source: row.source ?? undefined };
  }
  return undefined;
}
