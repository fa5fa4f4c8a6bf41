/** Identities that join and leave persons: who each is at present, and what is filed under it. */
import type { PersonKey } from '../../../access/requester.ts';
import type { Move } from '../../../ports/commit-plan.ts';
import { personMoved } from '../../refused.ts';
import type { Database } from '../database.ts';
import { materialisePerson, showRows } from '../rights/materialise.ts';
import { moveRights } from '../rights/move-rights.ts';
import { combineStates } from '../rights/states.ts';
import { moveDeleted, moveRows } from './move-rows.ts';

/**
 * Moves what is filed under identities; the access of the persons that they leave and join follows.
 * @throws {Fault} conflict - an identity is another person's, a person that one joins is no more, or one who is no more
 * has identities left
 */
export function moveIdentities(db: Database, moves: readonly Move[]): void {
  for (const move of moves) moveIdentity(db, move);
  for (const { home } of moves) requireWhole(db, home);
}

function moveIdentity(db: Database, move: Move): void {
  const { home, from, to } = move;
  if (present(db, home) !== from || (to !== home && present(db, to) !== to)) throw personMoved();
  db.run('INSERT OR IGNORE INTO patient_state (person) VALUES (?), (?), (?)', home, from, to);
  db.run('UPDATE patient_state SET merged_into = ? WHERE person = ?', home === to ? null : to, home);
  if (from === to) return;
  const turned = [from, to].filter((person) => combineStates(db, person));
  const rows = moveRows(db, move);
  const keys = [...rows.map(({ type, id }) => `${type}/${id}`), ...moveDeleted(db, move)];
  const begun = moveRights(db, move, keys);
  if (!turned.includes(to)) showRows(db, to, rows, begun);
  for (const person of turned) materialisePerson(db, person);
  for (const table of ['instance', 'quarantine'])
    db.run(`UPDATE ${table} SET person = ? WHERE person = ? AND subject = ?`, to, from, move.identity);
}

/** Who an identity is at present. */
function present(db: Database, home: PersonKey): string {
  return (
    db.get<{ person: string | null }>('SELECT merged_into AS person FROM patient_state WHERE person = ?', home)
      ?.person ?? home
  );
}

/**
 * A plan that takes a person elsewhere was made before another identity joined her, if it leaves that one behind. Keys
 * of earlier servers, under which nothing is filed any more, go along by the one that they became.
 */
function requireWhole(db: Database, home: PersonKey): void {
  const left = present(db, home) === home ? undefined : db.get(LEFT, home);
  if (left !== undefined) throw personMoved();
}

const LEFT = "SELECT 1 FROM resource INDEXED BY resource_identity WHERE person = ? AND type = 'Person' LIMIT 1";

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
  const shown = new Map(moves.map(({ identity, patient }) => [identity, patient]));
  for (const { person, subject = '' } of filings) {
    if (person === undefined) continue;
    for (const found of db.all<Present>(PRESENT, person, subject.slice(subject.indexOf('/') + 1))) {
      if (found.person !== person) throw personMoved();
      shown.set(subject, found.patient ?? subject);
    }
  }
  return new Map([...shown].filter(([identity, patient]) => identity !== patient));
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
