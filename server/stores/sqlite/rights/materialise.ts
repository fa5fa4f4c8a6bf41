/** Keeps the access table: one row for each right and each row of its person that `permits` shows it. */
import { decodeLabel } from '../../../../profiles/confidentiality.ts';
import type { DateRange } from '../../../../profiles/search/date-range.ts';
import { DATES_OF_ROWS, datesFound, examsAmong, PARTS_OF_EXAMS } from '../../../../profiles/types/row-rules.ts';
import { VISIBILITY, type StoredType } from '../../../../profiles/types/visibility.ts';
import { OPEN_STATE, permits, type PatientState, type RowFacts } from '../../../access/decide.ts';
import { personKey, type PersonKey } from '../../../access/requester.ts';
import { consentOf, dataPeriodIn, examIn, isShowing, type Principal, type Right } from '../../../access/right.ts';
import { fromScopeKey, nearRights, SOME_KEYS } from '../../right-scopes.ts';
import type { Database } from '../database.ts';

/** A row of the table of rights. */
export type RightRow = {
  id: string;
  person: string;
  principal: string;
  relation: string;
  item: string | null;
  valid_from: number;
  valid_to: number;
  giver: string;
};

/** What the access table needs of a row; `level` is the number of its label. */
export type AccessRow = { rid: number; type: StoredType; id: string; sort: number; level: number; released: number };

/** Reads the rights of a person. */
export function rightsOf(db: Database, person: string): Right[] {
  return db.all<RightRow>('SELECT * FROM access_right WHERE person = ? ORDER BY id', person).map(toRight);
}

/** Each by its index: a person may have rights to thousands of other items, and has few to exams, or to a time. */
const RIGHTS_TO_ALL = `SELECT * FROM access_right WHERE person = ?1 AND item IS NULL
  UNION ALL SELECT * FROM access_right
    WHERE person = ?1 AND item > '${SOME_KEYS.after}' AND item < '${SOME_KEYS.before}'`;

const RIGHTS_TO_ITEM = `${RIGHTS_TO_ALL}
  UNION ALL SELECT * FROM access_right WHERE person = ?1 AND item = ?2 ORDER BY id`;

/** Reads the rights to a person's record, to one item, to exams of hers and to a time. */
export function rightsTo(db: Database, person: string, item: string): Right[] {
  return db.all<RightRow>(RIGHTS_TO_ITEM, person, item).map(toRight);
}

/** The right that a row of the table is. */
export function toRight(row: RightRow): Right {
  return {
    id: row.id,
    person: personKey(row.person),
    principal: row.principal as Principal,
    relation: row.relation as Right['relation'],
    scope: fromScopeKey(row.item),
    from: row.valid_from,
    to: row.valid_to,
    giver: row.giver,
  };
}

/** Reads the state of a person. */
export function stateOf(db: Database, person: string): PatientState {
  const row = db.get<{ opposed: number; withdrawn: number; erasure_pending: number; account_off: number }>(
    'SELECT opposed, withdrawn, erasure_pending, account_off FROM patient_state WHERE person = ?',
    person,
  );
  if (row === undefined) return OPEN_STATE;
  return {
    opposed: row.opposed === 1,
    withdrawn: row.withdrawn === 1,
    erasurePending: row.erasure_pending === 1,
    accountOff: row.account_off === 1,
  };
}

/** Whether rows of a type have access rows: the directory needs none, and a part is seen as its parent. */
export function isMaterialised(type: StoredType): boolean {
  return VISIBILITY[type] !== 'directory' && VISIBILITY[type] !== 'part';
}

/** Writes the access of one row anew. Parts have none of their own: they are seen as their parent. */
export function materialiseRow(db: Database, person: string, row: AccessRow): void {
  db.run('DELETE FROM acl WHERE rid = ?', row.rid);
  materialiseNewRow(db, person, row);
}

/** Writes the access of a row that has none. */
export function materialiseNewRow(db: Database, person: string, row: AccessRow): void {
  const rights = rightsTo(db, person, itemOf(row));
  const state = stateOf(db, person);
  showEach(
    db,
    rights.map((right) => ({ right, row })),
    state,
  );
}

/** Writes the access of a right that shows nothing yet to the standing rows of its person, but for one at `rid`. */
export function materialiseNewRight(db: Database, right: Right, rid: number | undefined): void {
  if (!isShowing(right)) return;
  const rows = rowsInScope(db, right).filter((row) => row.rid !== rid);
  if (rows.length === 0) return;
  const state = stateOf(db, right.person);
  showEach(
    db,
    rows.map((row) => ({ right, row })),
    state,
  );
}

/**
 * Writes the access of rows that have become a person's, and that of the rights (by id) which they brought to her other
 * rows, all of them or one. Parts are among the rows, and have none.
 */
export function showRows(
  db: Database,
  person: PersonKey,
  rows: readonly AccessRow[],
  begun: ReadonlySet<string>,
): void {
  const shown = rows.filter(({ type }) => isMaterialised(type));
  const state = stateOf(db, person);
  const items = JSON.stringify(shown.map(itemOf));
  const near = nearRights(db.all<RightRow>(RIGHTS_TO_ITEMS, person, items).map(toRight));
  const ofRows = shown.flatMap((row) => near(itemOf(row)).map((right) => ({ right, row })));
  const moved = new Set(rows.map(({ rid }) => rid));
  const anew = begun.size === 0 ? [] : db.all<RightRow>(BEGUN, JSON.stringify([...begun])).map(toRight);
  const ofOthers = anew
    .flatMap((right) => rowsInScope(db, right).map((row) => ({ right, row })))
    .filter(({ row }) => !moved.has(row.rid));
  showPermitted(db, [...ofRows, ...ofOthers], state);
}

type ShownRow = { readonly right: Right; readonly row: AccessRow };

function showPermitted(db: Database, all: readonly ShownRow[], state: PatientState): void {
  const beside = besideOf(db, all);
  const permitted = all.filter((one) => isPermitted(one, state, beside));
  const written = permitted.map(({ right, row }) => [row.rid, right.id, consentOf(right) ?? null]);
  db.run(INSERT_ALL, JSON.stringify(written));
}

/** Access of rows by rights, of thousands at once: an array of `[rid, right, source]`. */
const INSERT_ALL = `INSERT INTO acl (principal, type, sort, id, right_id, rid, relation, source, valid_from, valid_to)
  SELECT r.principal, x.type, x.sort, x.id, r.id, x.rid, r.relation, j.value ->> 2, r.valid_from, r.valid_to
  FROM json_each(?) j CROSS JOIN resource x ON x.rid = j.value ->> 0
  CROSS JOIN access_right r ON r.id = j.value ->> 1`;

const RIGHTS_TO_ITEMS = `${RIGHTS_TO_ALL}
  UNION ALL SELECT * FROM access_right WHERE person = ?1 AND item IN (SELECT value FROM json_each(?2))`;

const BEGUN = 'SELECT r.* FROM json_each(?) j CROSS JOIN access_right r ON r.id = j.value';

/** Writes all access to a person's rows anew. */
export function materialisePerson(db: Database, person: PersonKey): void {
  db.run('DELETE FROM acl WHERE right_id IN (SELECT id FROM access_right WHERE person = ?)', person);
  const near = nearRights(rightsOf(db, person));
  const rows = db.all<AccessRow>(ROWS_OF_PERSON, person);
  const all = rows.flatMap((row) => near(itemOf(row)).map((right) => ({ right, row })));
  showPermitted(db, all, stateOf(db, person));
}

const ACCESS_COLUMNS = 'rid, type, id, sort, level, released';

const ROWS_OF_PERSON = `SELECT ${ACCESS_COLUMNS} FROM resource WHERE person = ? AND parent_type IS NULL`;

function rowsInScope(db: Database, { person, scope }: Right): AccessRow[] {
  if (scope === 'record' || 'dataPeriod' in scope) return db.all<AccessRow>(ROWS_OF_PERSON, person);
  if ('exam' in scope) return db.all<AccessRow>(ROWS_OF_EXAM, person, ...scope.exam.split('/'), scope.exam);
  return db.all<AccessRow>(ROW_OF_PERSON, person, ...scope.item.split('/'));
}

const ROW_OF_PERSON = `SELECT ${ACCESS_COLUMNS} FROM resource
  WHERE person = ?1 AND type = ?2 AND id = ?3 AND parent_type IS NULL`;

/** The parameters by which rows are found that are part of exams. */
const EXAM_PARAMS = PARTS_OF_EXAMS.map(({ type, param }) => `'${type}.${param}'`).join();

/** The exam, what is part of it, and who the patient is. */
const ROWS_OF_EXAM = `${ROW_OF_PERSON}
  UNION SELECT ${ACCESS_COLUMNS} FROM resource WHERE person = ?1 AND type = 'Patient'
  UNION SELECT ${ACCESS_COLUMNS} FROM resource WHERE person = ?1 AND parent_type IS NULL
    AND rid IN (SELECT rid FROM reference WHERE param IN (${EXAM_PARAMS}) AND target = ?4)`;

/** What rows are part of, by rid: it is read where some rights are to exams. */
type Exams = ReadonlyMap<number, readonly string[]>;

function examsOf(db: Database, all: readonly ShownRow[]): Exams {
  if (!all.some(({ right }) => examIn(right.scope) !== undefined)) return new Map();
  const rids = new Set(all.map(({ row }) => row.rid));
  const found = db.all<{ rid: number; target: string }>(EXAMS, JSON.stringify([...rids]));
  const byRow = Map.groupBy(found, ({ rid }) => rid);
  return new Map([...byRow].map(([rid, some]) => [rid, examsAmong(some.map(({ target }) => target))]));
}

const EXAMS = `SELECT r.rid, r.target FROM json_each(?) j CROSS JOIN reference r INDEXED BY reference_rid
  ON r.rid = j.value WHERE r.param IN (${EXAM_PARAMS})`;

/** Of what time rows are, by rid: it is read where some rights are to a time. */
type Dates = ReadonlyMap<number, readonly DateRange[]>;

type FoundDate = DateRange & { readonly rid: number; readonly param: string };

function datesOf(db: Database, all: readonly ShownRow[]): Dates {
  if (!all.some(({ right }) => dataPeriodIn(right.scope) !== undefined)) return new Map();
  const types = new Map(all.map(({ row }) => [row.rid, row.type]));
  const found = db.all<FoundDate>(DATES, JSON.stringify([...types.keys()]));
  const byRow = Map.groupBy(found, ({ rid }) => rid);
  return new Map([...types].map(([rid, type]) => [rid, datesFound(type, (byRow.get(rid) ?? []).map(unprefixed))]));
}

/** A date by the code of its parameter, without the type. */
function unprefixed({ param, lo, hi }: FoundDate): DateRange & { readonly param: string } {
  return { param: param.slice(param.indexOf('.') + 1), lo, hi };
}

const DATE_PARAMS = DATES_OF_ROWS.map(({ type, param }) => `'${type}.${param}'`).join();

const DATES = `SELECT r.rid, r.param, r.lo, r.hi FROM json_each(?) j CROSS JOIN date_range r INDEXED BY date_range_rid
  ON r.rid = j.value WHERE r.param IN (${DATE_PARAMS})`;

/** What the decision asks of rows, beside their columns. */
type Beside = { readonly exams: Exams; readonly dates: Dates };

function besideOf(db: Database, all: readonly ShownRow[]): Beside {
  return { exams: examsOf(db, all), dates: datesOf(db, all) };
}

/** What a row is part of and of what time it is, by its search values: the same text of the same. */
export function besideText(db: Database, { rid, type }: Pick<AccessRow, 'rid' | 'type'>): string {
  if (![...PARTS_OF_EXAMS, ...DATES_OF_ROWS].some((one) => one.type === type)) return '';
  const exams = db.all<{ target: string }>(EXAMS, JSON.stringify([rid])).map(({ target }) => target);
  const found = db.all<FoundDate>(DATES, JSON.stringify([rid])).map(unprefixed);
  const dates = datesFound(type, found).map(({ lo, hi }) => `${lo} ${hi}`);
  return JSON.stringify([examsAmong(exams).toSorted(), dates.toSorted()]);
}

function itemOf(row: AccessRow): string {
  return `${row.type}/${row.id}`;
}

function isPermitted({ right, row }: ShownRow, state: PatientState, { exams, dates }: Beside): boolean {
  const facts: RowFacts = {
    type: row.type,
    item: itemOf(row),
    exams: exams.get(row.rid) ?? [],
    dates: dates.get(row.rid) ?? [],
    released: row.released === 1,
    ...decodeLabel(row.level),
  };
  return permits(right, facts, state);
}

function showEach(db: Database, all: readonly ShownRow[], state: PatientState): void {
  const beside = besideOf(db, all);
  for (const one of all) if (isPermitted(one, state, beside)) show(db, one);
}

function show(db: Database, { right, row }: ShownRow): void {
  db.run(
    INSERT,
    right.principal,
    row.type,
    row.sort,
    row.id,
    right.id,
    row.rid,
    right.relation,
    consentOf(right) ?? null,
    right.from,
    right.to,
  );
}

const INSERT = `INSERT INTO acl (principal, type, sort, id, right_id, rid, relation, source, valid_from, valid_to)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
