/** The grant as SQL: the same condition for every statement that a requester's read makes. */
import { beginningOfTail } from '../../../../profiles/search/json-tail.ts';
import { isStoredType, VISIBILITY, type StoredType } from '../../../../profiles/types/visibility.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import { personKey } from '../../../access/requester.ts';
import { isNamedBefore, type Relation, type Right } from '../../../access/right.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import type { BlobRef } from '../../../ports/image-store.ts';
import type { ShownBy, ShownStudy, VisibleRow } from '../../../ports/record-store.ts';
import { marks, type Sql } from './criteria.ts';
import type { Database } from '../database.ts';

/** Where the bytes of a row lie; all null when it has none. */
export type BlobColumns = { blob_name: string | null; blob_size: number | null };

/** The blob of a row. */
export function blobOf(row: BlobColumns): BlobRef | undefined {
  if (row.blob_name === null) return undefined;
  return { name: row.blob_name, size: row.blob_size ?? 0 };
}

/** A row as selected by {@link ROW_COLUMNS}. */
export type SelectedRow = BlobColumns & {
  rid: number;
  type: string;
  id: string;
  version: number;
  updated: number;
  sort: number;
  person: string | null;
  subject: string | null;
  released: number;
  parent_type: string | null;
  parent_id: string | null;
  json: string;
};

const PLACE_COLUMNS =
  'x.rid, x.type, x.id, x.version, x.updated, x.sort, x.person, x.subject, x.blob_name, x.blob_size, x.released, ' +
  'x.parent_type, x.parent_id';

/** The columns of {@link SelectedRow}, of a table named `x`. */
export const ROW_COLUMNS = `${PLACE_COLUMNS}, x.json`;

/** The same, the resource without what begins with a text. */
const HEAD_COLUMNS =
  `${PLACE_COLUMNS}, CASE instr(x.json, ?1) WHEN 0 THEN x.json ELSE substr(x.json, 1, ` +
  `instr(x.json, ?1) - 1) || '}' END AS json`;

/** Whether rows of a type need no right under a grant. */
export function isOpen(grant: AnyGrant, type: StoredType): boolean {
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

/**
 * The condition that a row `x` is visible. A grant without principals sees nothing. The plus keeps the planner from one
 * search a principal: a row's access is read in one piece.
 */
export function visibleCondition(grant: AnyGrant, type: StoredType): Sql {
  if (isOpen(grant, type)) return { text: '', values: [] };
  return {
    text: ` AND EXISTS (SELECT 1 FROM acl INDEXED BY acl_row WHERE rid = ${accessRid(type)}
      AND +principal IN (${marks(grant.principals)}) AND valid_from <= ? AND valid_to > ?)`,
    values: [...grant.principals, grant.now, grant.now],
  };
}

/** Finds a visible row by type and id. */
export function visibleRow(db: Database, grant: AnyGrant, type: StoredType, id: string): VisibleRow | undefined {
  const condition = visibleCondition(grant, type);
  const row = db.get<SelectedRow>(
    `SELECT ${ROW_COLUMNS} FROM resource x WHERE x.type = ? AND x.id = ?${condition.text}`,
    type,
    id,
    ...condition.values,
  );
  if (row === undefined) return undefined;
  const access = accessRow(db, row);
  return toVisibleRow(grant, row, isOpen(grant, type) ? undefined : shownBy(db, grant, [access]).get(access));
}

/** Finds the visible rows of a type among ids, in no order. */
export function visibleRows(db: Database, grant: AnyGrant, type: StoredType, ids: readonly string[]): VisibleRow[] {
  const condition = visibleCondition(grant, type);
  const rows = db.all<SelectedRow>(
    `SELECT ${ROW_COLUMNS} FROM json_each(?) j CROSS JOIN resource x ON x.type = ? AND x.id = j.value WHERE
      TRUE${condition.text}`,
    JSON.stringify(ids),
    type,
    ...condition.values,
  );
  return shownRows(db, grant, rows);
}

/** The study whose claim names a row, when it is visible. Its resource, which may be large, is not read. */
export function shownStudy(db: Database, grant: AnyGrant, studyInstanceUID: string): ShownStudy | undefined {
  const row = db.get<Pick<SelectedRow, 'rid' | 'id' | 'person' | 'subject'>>(
    `SELECT rid, id, person, subject FROM resource
     WHERE type = 'ImagingStudy' AND id = (SELECT value FROM claim WHERE key = ?)`,
    claimKey.imagingStudy(studyInstanceUID),
  );
  if (row === undefined) return undefined;
  const shown = grant.system ? undefined : shownBy(db, grant, [row.rid]).get(row.rid);
  if (shown === undefined && !grant.system) return undefined;
  return {
    id: row.id,
    person: row.person === null ? undefined : personKey(row.person),
    subject: row.subject ?? undefined,
    shownBy: shown,
  };
}

/**
 * The rows at places that a search found, in their order, each with the right that shows it; without their last member
 * where it has the name that is given.
 */
export function visibleRowsAt(
  db: Database,
  grant: AnyGrant,
  rids: readonly number[],
  withoutTail?: string,
): VisibleRow[] {
  const list = JSON.stringify(rids);
  const rows =
    withoutTail === undefined
      ? db.all<SelectedRow>(
          `SELECT ${ROW_COLUMNS} FROM json_each(?) j CROSS JOIN resource x ON x.rid = j.value ORDER BY j.key`,
          list,
        )
      : db.all<SelectedRow>(
          `SELECT ${HEAD_COLUMNS} FROM json_each(?2) j CROSS JOIN resource x ON x.rid = j.value ORDER BY j.key`,
          beginningOfTail(withoutTail),
          list,
        );
  return shownRows(db, grant, rows);
}

/** Adds the right that shows each row. */
function shownRows(db: Database, grant: AnyGrant, rows: readonly SelectedRow[]): VisibleRow[] {
  const access = rows.map((row) => accessRow(db, row));
  const shown = grant.system ? undefined : shownBy(db, grant, access);
  return rows.map((row, at) => toVisibleRow(grant, row, shown?.get(access[at] ?? row.rid)));
}

/** A row as the port gives it. */
export function toVisibleRow(grant: AnyGrant, row: SelectedRow, shown: ShownBy | undefined): VisibleRow {
  if (!isStoredType(row.type)) throw new Error('The store holds a type that has no class');
  const blob = row.blob_name === null ? undefined : { name: row.blob_name, size: row.blob_size ?? 0 };
  return {
    type: row.type,
    id: row.id,
    version: row.version,
    updated: row.updated,
    sort: row.sort,
    json: row.json,
    blob,
    person: row.person === null ? undefined : personKey(row.person),
    subject: row.subject ?? undefined,
    released: row.released === 1,
    shownBy: isOpen(grant, row.type) ? undefined : shown,
  };
}

function accessRow(db: Database, row: SelectedRow): number {
  if (row.parent_type === null) return row.rid;
  const parent = db.get<{ rid: number }>(
    'SELECT rid FROM resource WHERE type = ? AND id = ?',
    row.parent_type,
    row.parent_id,
  );
  return parent?.rid ?? row.rid;
}

type AccessRow = { rid: number; right_id: string; relation: Relation; source: string | null };

/** The right that shows each row; of several, the one that is named first. */
function shownBy(db: Database, grant: AnyGrant, rids: readonly number[]): Map<number, ShownBy> {
  const rows = db.all<AccessRow>(
    `SELECT a.rid, a.right_id, a.relation, a.source FROM json_each(?) j CROSS JOIN acl a INDEXED BY
      acl_row ON a.rid = j.value
     WHERE a.principal IN (${marks(grant.principals)}) AND a.valid_from <= ? AND a.valid_to > ?`,
    JSON.stringify(rids),
    ...grant.principals,
    grant.now,
    grant.now,
  );
  const first = new Map<number, AccessRow>();
  for (const row of rows) {
    const known = first.get(row.rid);
    if (known === undefined || isNamedBefore(named(row), named(known))) first.set(row.rid, row);
  }
  return new Map(
    [...first].map(([rid, row]) => [
      rid,
      { rightId: row.right_id, relation: row.relation, source: row.source ?? undefined },
    ]),
  );
}

function named({ right_id: id, relation }: AccessRow): Pick<Right, 'id' | 'relation'> {
  return { id, relation };
}
