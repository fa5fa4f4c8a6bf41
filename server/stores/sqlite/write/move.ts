/** Identities that join and leave persons: what is filed under one moves from one person key to another, row by row. */
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import { movedRight, NO_ORIGIN, rightsGivenBy, type Origin } from '../../../access/rights-of.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { principal } from '../../../access/right.ts';
import type { Move } from '../../../ports/commit-plan.ts';
import { personMoved } from '../../refused.ts';
import type { Database } from '../database.ts';
import { givenBy, giveRights } from '../rights/give-rights.ts';
import { isMaterialised, materialiseRow, type AccessRow } from '../rights/materialise.ts';
import { combineStates } from '../rights/states.ts';

/**
 * Moves what is filed under an identity; the access of the persons that it leaves and joins follows.
 * @throws {Fault} conflict - the identity is another person's, or the person that it joins is no more
 */
export function moveIdentity(db: Database, move: Move): void {
  const { home, to } = move;
  shownPatients(db, [{ person: to }]);
  if (present(db, home) !== move.from) throw personMoved();
  db.run('INSERT OR IGNORE INTO patient_state (person) VALUES (?), (?)', home, to);
  db.run('UPDATE patient_state SET merged_into = ? WHERE person = ?', home === to ? null : to, home);
  if (move.from === to) return;
  for (const row of db.all<MovedRow>(ROWS, move.from, move.identity)) moveRow(db, row, move);
  moveDeleted(db, move);
  for (const table of ['instance', 'quarantine'])
    db.run(`UPDATE ${table} SET person = ? WHERE person = ? AND subject = ?`, to, move.from, move.identity);
  combineStates(db, move.from);
  combineStates(db, to);
}

/** Who an identity is at present. */
function present(db: Database, home: PersonKey): string {
  return (
    db.get<{ person: string | null }>('SELECT merged_into AS person FROM patient_state WHERE person = ?', home)
      ?.person ?? home
  );
}

type MovedRow = Omit<AccessRow, 'type'> & {
  readonly type: StoredType;
  readonly subject: string;
  readonly patient: string | null;
  readonly parent_type: string | null;
  readonly origin: string | null;
};

/** In the order in which they began to give rights. */
const ROWS = `SELECT rid, type, id, sort, level, released, subject, patient, parent_type, origin FROM resource
  WHERE person = ? AND subject = ? ORDER BY rid`;

function moveRow(db: Database, row: MovedRow, { to, patient }: Move): void {
  const { rid, type, id, subject } = row;
  const shown = patient === subject ? null : patient;
  db.run('UPDATE resource SET person = ?, patient = ? WHERE rid = ?', to, shown, rid);
  db.run(
    'UPDATE OR REPLACE reference SET target = ? WHERE rid = ? AND target = ?',
    patient,
    rid,
    row.patient ?? subject,
  );
  if (row.parent_type !== null) return;
  const giver = `${type}/${id}`;
  giveRights(db, giver, givenBy(db, giver), rightsGivenBy(givingRow(db, row, to)), rid);
  if (isMaterialised(type)) materialiseRow(db, to, row);
}

function givingRow(db: Database, { rid, type, id, origin }: MovedRow, person: PersonKey) {
  const content = (): object =>
    JSON.parse(db.get<{ json: string }>('SELECT json FROM resource WHERE rid = ?', rid)?.json ?? '{}') as object;
  return { type, id, person, origin: origin === null ? NO_ORIGIN : (JSON.parse(origin) as Origin), content };
}

/** Rights to a row that was deleted stay with it; the patient who saw it is the person that it is of. */
function moveDeleted(db: Database, { identity, from, to, patient }: Move): void {
  const rows = db.all<{ type: string; id: string }>(
    'UPDATE deleted SET person = ?, patient = ? WHERE person = ? AND subject = ? RETURNING type, id',
    to,
    patient === identity ? null : patient,
    from,
    identity,
  );
  for (const { type, id } of rows) {
    const giver = `${type}/${id}`;
    const given = givenBy(db, giver);
    giveRights(
      db,
      giver,
      given,
      given.map((right) => movedRight(right, from, to)),
    );
    const [reader, next] = [principal.patient(from), principal.patient(to)];
    db.run(READERS, next, reader, type, id);
  }
}

const READERS = 'UPDATE OR IGNORE deleted_reader SET principal = ? WHERE principal = ? AND type = ? AND id = ?';

/** What a plan files: for whom, and under which identity. */
export type Filing = { readonly person?: PersonKey | undefined; readonly subject?: string | undefined };

/**
 * The Patients that are shown in place of the identities that a plan files under, by these.
 * @throws {Fault} conflict - the plan was made before an identity moved: its rows would lie outside the person's state
 * and rights
 */
export function shownPatients(
  db: Database,
  filings: readonly Filing[],
  moves: readonly Move[] = [],
): ReadonlyMap<string, string> {
  // An identity that is made by the same plan has no row yet.
  const shown = new Map(moves.flatMap(({ identity, patient }) => (identity === patient ? [] : [[identity, patient]])));
  for (const { person, subject = '' } of filings) {
    if (person === undefined) continue;
    for (const found of db.all<Present>(PRESENT, person, subject.slice(subject.indexOf('/') + 1))) {
      if (found.person !== person) throw personMoved();
      if (found.patient !== null) shown.set(subject, found.patient);
    }
  }
  return shown;
}

type Present = { readonly person: string; readonly patient: string | null };

/** Who a person is at present, where she is no more, and who an identity is. */
const PRESENT = `SELECT merged_into AS person, NULL AS patient FROM patient_state
    WHERE person = ? AND merged_into IS NOT NULL
  UNION ALL SELECT person, patient FROM resource WHERE type = 'Person' AND id = ?`;

/** Tells the trail whose the events are that were, or will yet be, recorded under the key of an identity. */
export function moveTrail(db: Database, { home, to }: Pick<Move, 'home' | 'to'>): void {
  if (home === to) db.run('DELETE FROM former_person WHERE former = ?', home);
  else db.run('INSERT OR REPLACE INTO former_person (former, person) VALUES (?, ?)', home, to);
}
