/** Former versions of rows, and what is left of deleted ones. */
import { decodeLabel } from '../../../../profiles/confidentiality.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { TIME_BOUND } from '../../../../profiles/search/date-range.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import { decide } from '../../../access/decide.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import { personKey, type PersonKey } from '../../../access/requester.ts';
import { consentOf } from '../../../access/right.ts';
import {
  MAX_HISTORY_ROWS,
  type HistoryPage,
  type InternalRow,
  type Question,
  type RowVersion,
  type ShownBy,
  type VersionPlace,
} from '../../../ports/record-store.ts';
import { shownSubject, shownText, whoseOf, type FiledUnder } from '../../shown-patient.ts';
import type { Database } from '../database.ts';
import { rightsTo, stateOf } from '../rights/materialise.ts';
import { showingNow } from './access.ts';
import { marks } from './criteria.ts';
import { blobOf, isOpen, isPart, visibleRow, visibleRows, type BlobColumns } from './visible.ts';

type HistoryQuestion = Extract<Question, { kind: 'history' }>;
type Named = { readonly type: StoredType; readonly id: string };
type FormerRow = BlobColumns & { updated: number; json: string; subject: string | null };

/** What every version of a row repeats of the row: whose it is, and by which right it is shown. */
type Anchor = Omit<RowVersion, 'json' | 'version' | 'updated' | 'blob' | 'isDeletion'>;

/** A row by its id, or one of its versions. */
export function rowOrVersion(
  db: Database,
  grant: AnyGrant,
  { type, id, version, orDeleted }: Extract<Question, { kind: 'resource' }>,
): RowVersion | undefined {
  const present = visibleRow(db, grant, type, id);
  if (present !== undefined && (version === undefined || version === present.version)) return present;
  const deletion = present === undefined && orDeleted === true ? deletionOf(db, grant, { type, id }) : undefined;
  if (deletion !== undefined && (version === undefined || version === deletion.version)) return deletion;
  if (version === undefined) return undefined;
  return formerVersion(db, grant, { type, id }, version, {
    anchor: present ?? deletion,
    orDeleted: orDeleted === true,
  });
}

/**
 * A former version of a row. A requester needs the row, under whose right the former version is shown; the server
 * itself also finds the versions of a deleted row.
 */
function formerVersion(
  db: Database,
  grant: AnyGrant,
  { type, id }: Named,
  version: number,
  { anchor, orDeleted }: { readonly anchor: Anchor | undefined; readonly orDeleted: boolean },
): RowVersion | undefined {
  if (anchor === undefined && !grant.system) return undefined;
  const former = db.get<FormerRow>(
    'SELECT updated, json, blob_name, blob_size, subject FROM history WHERE type = ? AND id = ? AND version = ?',
    type,
    id,
    version,
  );
  if (former === undefined || (former.json === '' && !orDeleted)) return undefined;
  const json = grant.system ? former.json : shownText(grant, former.json, filedUnder(db, { type, id }, former));
  return toVersion(anchor ?? unplaced({ type, id }, former.updated), { ...former, json, version });
}

/** The identity that a version is filed under: that of the row, or of its deletion, unless it says another. */
function filedUnder(db: Database, { type, id }: Named, { subject }: Pick<FormerRow, 'subject'>): FiledUnder {
  const row = db.get<FiledUnder>(FILED_UNDER, type, id) ?? {};
  if (subject === null || subject === row.subject) return row;
  return { subject, patient: presentPatient(db, subject) };
}

const FILED_UNDER = `SELECT subject, patient FROM resource WHERE type = ?1 AND id = ?2
  UNION ALL SELECT subject, patient FROM deleted WHERE type = ?1 AND id = ?2`;

function presentPatient(db: Database, identity: string): string | null {
  const id = identity.slice(identity.indexOf('/') + 1);
  const found = db.get<FiledUnder>("SELECT patient FROM resource WHERE type = 'Person' AND id = ?", id);
  return found?.patient ?? null;
}

function toVersion(anchor: Anchor, former: FormerRow & { version: number }): RowVersion {
  const { type, id, sort, released, shownBy } = anchor;
  const { updated, json, version } = former;
  const place = { type, id, sort, ...whoseOf(anchor), released, shownBy, updated, json, version, blob: blobOf(former) };
  return json === '' ? { ...place, isDeletion: true } : place;
}

/** What is left of a deleted row beside its text. */
function unplaced({ type, id }: Named, sort: number): Anchor {
  return { type, id, sort, person: undefined, subject: undefined, released: false, shownBy: undefined };
}

type DeletedRow = {
  id: string;
  version: number;
  updated: number;
  sort: number;
  person: string | null;
  subject: string | null;
  patient: string | null;
  level: number;
  released: number;
};

const DELETED_COLUMNS = 'd.id, d.version, d.updated, d.sort, d.person, d.subject, d.patient, d.level, d.released';

/** The deletion of a row, when the grant may know of it. */
function deletionOf(db: Database, grant: AnyGrant, { type, id }: Named): RowVersion | undefined {
  const row = db.get<DeletedRow>(`SELECT ${DELETED_COLUMNS} FROM deleted d WHERE d.type = ? AND d.id = ?`, type, id);
  return row === undefined || !wasSeen(db, grant, { type, id }) ? undefined : toDeletion(db, grant, type, row);
}

function wasSeen(db: Database, grant: AnyGrant, { type, id }: Named): boolean {
  if (isOpen(grant, type)) return true;
  const known = `SELECT 1 FROM deleted_reader WHERE type = ? AND id = ? AND principal IN (${marks(grant.principals)})`;
  return db.get(known, type, id, ...grant.principals) !== undefined;
}

/** The deletion of a row, when what holds now would still show the row. */
function toDeletion(db: Database, grant: AnyGrant, type: StoredType, row: DeletedRow): RowVersion | undefined {
  const { id, version, updated, sort } = row;
  // Of what it was part of, and of what time, nothing is kept.
  const facts = {
    type,
    item: `${type}/${id}`,
    exams: [],
    dates: [],
    released: row.released === 1,
    ...decodeLabel(row.level),
  };
  const rights = row.person === null ? [] : rightsTo(db, row.person, facts.item);
  const decision = decide(grant, facts, rights, stateOf(db, row.person ?? ''));
  if (!decision.permitted) return undefined;
  const { right } = decision;
  const shownBy: ShownBy | undefined = right && {
    rightId: right.id,
    relation: right.relation,
    source: consentOf(right),
  };
  return {
    type,
    id,
    version,
    updated,
    sort,
    json: '',
    person: row.person === null ? undefined : personKey(row.person),
    ...shownSubject(grant, row),
    blob: undefined,
    released: facts.released,
    shownBy,
    isDeletion: true,
  };
}

/** The deleted rows of a person. */
export function deletedOf(db: Database, person: PersonKey): readonly Pick<InternalRow, 'type' | 'id' | 'subject'>[] {
  return db
    .all<Named & { subject: string | null }>(
      'SELECT type, id, subject FROM deleted WHERE person = ? ORDER BY type, id',
      person,
    )
    .map(({ type, id, subject }) => ({ type, id, subject: subject ?? undefined }));
}

/** Answers the versions of one row, or of the visible rows of a type. */
export function readHistory(db: Database, grant: AnyGrant, question: HistoryQuestion): HistoryPage {
  const { type, id, limit } = question;
  if (isPart(type) || type === 'AuditEvent') return { rows: [], next: undefined };
  const ids = id === undefined ? shownIds(db, grant, type) : [id];
  const places = versionsOf(db, question, ids);
  const page = places.slice(0, limit);
  const onPage = [...new Set(page.map((place) => place.id))];
  const anchors = anchorsOf(db, grant, type, onPage);
  const rows = page.flatMap((place) => {
    const anchor = anchors.get(place.id);
    const former = anchor && readVersion(db, type, place);
    if (anchor === undefined || former === undefined) return [];
    const json = grant.system ? former.json : shownText(grant, former.json, filedUnder(db, { ...place, type }, former));
    const version = toVersion(anchor, { ...former, json });
    const isPresent = place.version === anchor.version && anchor.isOpenToPatient === true;
    return [isPresent ? { ...version, isOpenToPatient: true as const } : version];
  });
  return { rows, next: places.length > limit && rows.length > 0 ? page.at(-1) : undefined };
}

/** Ids of the rows of a type that are shown, deleted ones included. */
function shownIds(db: Database, grant: AnyGrant, type: StoredType): readonly string[] {
  const most = MAX_HISTORY_ROWS + 1;
  const open = isOpen(grant, type);
  const names = marks(grant.principals);
  const showing = showingNow(grant);
  const present = open
    ? db.all<Named>('SELECT id FROM resource WHERE type = ? LIMIT ?', type, most)
    : db.all<Named>(
        `SELECT DISTINCT id FROM acl WHERE principal IN (${names}) AND type = ? AND ${showing.text} LIMIT ?`,
        ...grant.principals,
        type,
        ...showing.values,
        most,
      );
  const gone = open
    ? db.all<DeletedRow>(`SELECT ${DELETED_COLUMNS} FROM deleted d WHERE d.type = ? LIMIT ?`, type, most)
    : db.all<DeletedRow>(
        `SELECT DISTINCT ${DELETED_COLUMNS} FROM deleted_reader r
         CROSS JOIN deleted d ON d.type = r.type AND d.id = r.id
         WHERE r.principal IN (${names}) AND r.type = ? LIMIT ?`,
        ...grant.principals,
        type,
        most,
      );
  if (present.length + gone.length >= most)
    throw new Fault('too-costly', `The history of more than ${MAX_HISTORY_ROWS} resources is asked for one by one`);
  const shown = gone.filter((row) => toDeletion(db, grant, type, row) !== undefined);
  return [...present, ...shown].map(({ id }) => id);
}

/** The places of the versions of some rows, latest first, one more than the page holds. */
function versionsOf(
  db: Database,
  { type, since, after, limit }: HistoryQuestion,
  ids: readonly string[],
): VersionPlace[] {
  const list = JSON.stringify(ids);
  const from = since ?? -TIME_BOUND;
  return db.all<VersionPlace>(
    `SELECT * FROM (
       SELECT x.updated, x.id, x.version FROM json_each(?1) j CROSS JOIN resource x ON x.type = ?2 AND x.id = j.value
       UNION ALL
       SELECT h.updated, h.id, h.version FROM json_each(?1) j CROSS JOIN history h ON h.type = ?2 AND h.id = j.value)
     WHERE updated >= ?3 AND (updated < ?4 OR (updated = ?4 AND (id > ?5 OR (id = ?5 AND version < ?6))))
     ORDER BY updated DESC, id, version DESC LIMIT ?7`,
    list,
    type,
    from,
    after?.updated ?? TIME_BOUND,
    after?.id ?? '',
    after?.version ?? 0,
    limit + 1,
  );
}

function readVersion(
  db: Database,
  type: StoredType,
  { id, version }: VersionPlace,
): (FormerRow & { version: number }) | undefined {
  const columns = 'version, updated, json, blob_name, blob_size, subject';
  return db.get<FormerRow & { version: number }>(
    `SELECT ${columns} FROM resource WHERE type = ?1 AND id = ?2 AND version = ?3
     UNION ALL SELECT ${columns} FROM history WHERE type = ?1 AND id = ?2 AND version = ?3`,
    type,
    id,
    version,
  );
}

function anchorsOf(
  db: Database,
  grant: AnyGrant,
  type: StoredType,
  ids: readonly string[],
): ReadonlyMap<string, RowVersion> {
  const anchors = new Map<string, RowVersion>(visibleRows(db, grant, type, ids).map((row) => [row.id, row]));
  for (const id of ids) {
    const deletion = anchors.has(id) ? undefined : deletionOf(db, grant, { type, id });
    if (deletion !== undefined) anchors.set(id, deletion);
  }
  return anchors;
}
