/** The grant as SQL: the same condition for every statement that a requester's read makes. */
import { decodeLabel } from '../../../../profiles/confidentiality.ts';
import { beginningOfTail, STUDY_TAIL } from '../../../../profiles/search/json-tail.ts';
import { isStoredType, VISIBILITY, type StoredType } from '../../../../profiles/types/visibility.ts';
import { sourcesShown } from '../../../access/decide.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import { personKey } from '../../../access/requester.ts';
import { isNamedBefore, type Relation, type ShowingRight } from '../../../access/right.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import { boundPerson, openToPatient, studyAsItIs, type ShownPart } from '../../granted.ts';
import { shownSubject, shownText } from '../../shown-patient.ts';
import type { BlobRef } from '../../../ports/image-store.ts';
import type { Question, ShownBy, ShownStudy, VisibleRow } from '../../../ports/record-store.ts';
import { heldNow } from './access.ts';
import type { Sql } from './criteria.ts';
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
  type: string;
  id: string;
  version: number;
  updated: number;
  sort: number;
  person: string | null;
  subject: string | null;
  /** The Patient that is shown in place of the subject; null where it is the same. */
  patient: string | null;
  released: number;
  level: number;
  json: string;
};

const PLACE_COLUMNS =
  'x.type, x.id, x.version, x.updated, x.sort, x.person, x.subject, x.patient, x.blob_name, x.blob_size, x.released, ' +
  'x.level';

/** The columns of {@link SelectedRow}, of a table named `x`. */
export const ROW_COLUMNS = `${PLACE_COLUMNS}, x.json`;

/** The resource of a row without what begins with a text. */
const HEAD =
  "CASE instr(x.json, ?1) WHEN 0 THEN x.json ELSE substr(x.json, 1, instr(x.json, ?1) - 1) || '}' END AS json";
const HEAD_COLUMNS = `${PLACE_COLUMNS}, ${HEAD}`;

/** Whether rows of a type need no right under a grant. */
export function isOpen(grant: AnyGrant, type: StoredType): boolean {
  return grant.system || VISIBILITY[type] === 'directory';
}

/** Whether rows of a type are seen as their parent. */
export function isPart(type: StoredType): boolean {
  return VISIBILITY[type] === 'part';
}

const RID_OF_PARENT = '(SELECT p.rid FROM resource p WHERE p.type = x.parent_type AND p.id = x.parent_id)';

/** The row whose access counts for a row `x`. */
function accessRid(type: StoredType): string {
  return isPart(type) ? RID_OF_PARENT : 'x.rid';
}

/** That a row `x` is of a person. */
const OF_PERSON = ' AND (SELECT p.person FROM resource p WHERE p.rid = x.rid) = ?';

/**
 * The condition that a row `x` is visible. A grant without principals sees nothing.
 */
export function visibleCondition(grant: AnyGrant, type: StoredType): Sql {
  const person = boundPerson(grant, type);
  if (person !== undefined) return { text: OF_PERSON, values: [person] };
  if (isOpen(grant, type)) return { text: '', values: [] };
  const held = heldNow(grant);
  return {
    text: ` AND EXISTS (SELECT 1 FROM acl INDEXED BY acl_row WHERE rid = ${accessRid(type)} AND ${held.text})`,
    values: held.values,
  };
}

/**
 * The rights that show a row `x`, as a column of JSON, `[]` when there are none: what a row says and by which right it
 * is seen come from one statement.
 */
function rightsColumn(grant: AnyGrant): Sql {
  if (grant.system) return { text: "'[]' AS rights", values: [] };
  const held = heldNow(grant);
  return {
    text: `(SELECT json_group_array(json_array(right_id, relation, source)) FROM acl INDEXED BY acl_row
      WHERE rid = CASE WHEN x.parent_type IS NULL THEN x.rid ELSE ${RID_OF_PARENT} END
      AND ${held.text}) AS rights`,
    values: held.values,
  };
}

/** A row with the rights that show it. */
type RowWithRights = SelectedRow & { readonly rights: string };

/** The greatest rid there is: rows that are made get greater ones. */
export function newestRid(db: Database): number {
  return db.get<{ rid: number | null }>('SELECT max(rid) AS rid FROM resource')?.rid ?? 0;
}

/** Finds a visible row by type and id. */
export function visibleRow(db: Database, grant: AnyGrant, type: StoredType, id: string): VisibleRow | undefined {
  const rights = rightsColumn(grant);
  const row = db.get<RowWithRights>(
    `SELECT ${ROW_COLUMNS}, ${rights.text} FROM resource x WHERE x.type = ? AND x.id = ?`,
    ...rights.values,
    type,
    id,
  );
  if (row === undefined) return undefined;
  const shown = firstOf(row.rights);
  return shown === undefined && !isOpen(grant, type) ? undefined : toVisibleRow(grant, row, shown);
}

/** A visible part, with the item that it belongs to. */
export function visibleWithItem(db: Database, grant: AnyGrant, type: StoredType, id: string): VisibleRow | undefined {
  const row = visibleRow(db, grant, type, id);
  const item = row && db.get<ItemColumns>(ITEM, type, id);
  if (row === undefined || item === undefined || !isStoredType(item.type)) return row;
  const { type: of, level, released, json } = item;
  return { ...row, item: { type: of, id: item.id, json, ...openToPatient(of, { level, released: released === 1 }) } };
}

type ItemColumns = Pick<SelectedRow, 'type' | 'id' | 'level' | 'released' | 'json'>;

const ITEM = `SELECT p.type, p.id, p.level, p.released, p.json FROM resource x
  JOIN resource p ON p.type = x.parent_type AND p.id = x.parent_id WHERE x.type = ? AND x.id = ?`;

/** Finds the visible rows of a type among ids, in no order. */
export function visibleRows(db: Database, grant: AnyGrant, type: StoredType, ids: readonly string[]): VisibleRow[] {
  const rights = rightsColumn(grant);
  const rows = db.all<RowWithRights>(
    `SELECT ${ROW_COLUMNS}, ${rights.text} FROM json_each(?) j CROSS JOIN resource x ON x.type = ? AND x.id = j.value`,
    ...rights.values,
    JSON.stringify(ids),
    type,
  );
  return rows.flatMap((row) => {
    const shown = firstOf(row.rights);
    return shown === undefined && !isOpen(grant, type) ? [] : [toVisibleRow(grant, row, shown)];
  });
}

/** A study that is shown, and which instances of it. */
export type StudyWithPart = { readonly study: ShownStudy; readonly part: ShownPart };

/**
 * The study whose claim names a row, when it is visible; with its resource but the series, of which there may be many,
 * where it is asked for.
 */
export function shownStudy(
  db: Database,
  grant: AnyGrant,
  { studyInstanceUID, withStudy }: Pick<PartsQuestion, 'studyInstanceUID' | 'withStudy'>,
): StudyWithPart | undefined {
  const rights = rightsColumn(grant);
  const head = withStudy === true ? { text: `, ${HEAD}`, values: [beginningOfTail(STUDY_TAIL)] } : NOTHING;
  const row = db.get<StudyColumns>(
    `SELECT x.id, x.person, x.subject, x.patient, x.level, x.released${head.text}, ${rights.text} FROM resource x
     WHERE x.type = 'ImagingStudy' AND x.id = (SELECT value FROM claim WHERE key = ?)`,
    ...head.values,
    ...rights.values,
    claimKey.imagingStudy(studyInstanceUID),
  );
  if (row === undefined) return undefined;
  const shown = firstOf(row.rights);
  if (shown === undefined && !grant.system) return undefined;
  const study: ShownStudy = {
    id: row.id,
    person: row.person === null ? undefined : personKey(row.person),
    ...shownSubject(grant, row),
    shownBy: shown,
    ...(row.json === undefined ? {} : studyAsItIs({ ...row, json: row.json, released: row.released === 1 })),
  };
  if (grant.system) return { study, part: {} };
  const sources = sourcesShown(grant, shown?.relation, decodeLabel(row.level));
  return { study, part: { person: study.person, sources } };
}

type PartsQuestion = Extract<Question, { kind: 'instances' | 'metadata' }>;

type StudyColumns = Pick<RowWithRights, 'id' | 'person' | 'subject' | 'patient' | 'level' | 'released' | 'rights'> &
  Partial<Pick<RowWithRights, 'json'>>;

const NOTHING: Sql = { text: '', values: [] };

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
  const rights = rightsColumn(grant);
  const tail = withoutTail === undefined ? [] : [beginningOfTail(withoutTail)];
  const columns = withoutTail === undefined ? ROW_COLUMNS : HEAD_COLUMNS;
  const rows = db.all<RowWithRights>(
    `SELECT ${columns}, ${rights.text} FROM json_each(?) j CROSS JOIN resource x ON x.rid = j.value ORDER BY j.key`,
    ...tail,
    ...rights.values,
    JSON.stringify(rids),
  );
  return rows.map((row) => toVisibleRow(grant, row, firstOf(row.rights)));
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
    json: shownText(grant, row.json, row),
    blob,
    person: row.person === null ? undefined : personKey(row.person),
    ...shownSubject(grant, row),
    released: row.released === 1,
    ...openToPatient(row.type, { level: row.level, released: row.released === 1 }),
    shownBy: isOpen(grant, row.type) ? undefined : shown,
  };
}

type NamedRight = readonly [id: string, relation: Relation, source: string | null];

/** Of the rights that show a row, the one that is named first. */
function firstOf(rights: string): ShownBy | undefined {
  if (rights === '[]') return undefined;
  const all = JSON.parse(rights) as readonly NamedRight[];
  const [id, relation, source] = all.reduce((first, other) =>
    isNamedBefore(named(other), named(first)) ? other : first,
  );
  return { rightId: id, relation, source: source ?? undefined };
}

function named([id, relation]: NamedRight): Pick<ShowingRight, 'id' | 'relation'> {
  return { id, relation };
}
