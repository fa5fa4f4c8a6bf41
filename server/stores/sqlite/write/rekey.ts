/** Two person keys that turn out to be one person: everything under the one moves to the other. */
import { principal } from '../../../access/right.ts';
import { QUALIFIED_KEYS } from '../../../ports/claim-key.ts';
import { personJoined } from '../../refused.ts';
import type { Database } from '../database.ts';
import { joinRights } from '../rights/give-rights.ts';
import type { Rekey } from './protocol.ts';

/**
 * Moves a person's rows, rights, instances, state and claims in the record file.
 * @throws {Fault} conflict - one of them was joined with another before
 */
export function rekeyPerson(db: Database, { from, to }: Rekey): void {
  refuseMerged(db, [from, to]);
  if (from === to) return;
  joinRights(db, from, to);
  db.run('UPDATE resource SET person = ? WHERE person = ?', to, from);
  db.run('UPDATE deleted SET person = ? WHERE person = ?', to, from);
  db.run(
    'UPDATE OR IGNORE deleted_reader SET principal = ? WHERE principal = ?',
    principal.patient(to),
    principal.patient(from),
  );
  db.run('UPDATE instance SET person = ? WHERE person = ?', to, from);
  db.run('UPDATE quarantine SET person = ? WHERE person = ?', to, from);
  const { from: first, before } = QUALIFIED_KEYS;
  db.run('UPDATE claim SET value = ? WHERE key >= ? AND key < ? AND value = ?', to, first, before, from);
  mergeState(db, from, to);
}

function mergeState(db: Database, from: string, to: string): void {
  db.run('INSERT OR IGNORE INTO patient_state (person) VALUES (?)', to);
  db.run(
    `UPDATE patient_state SET opposed = max(patient_state.opposed, old.opposed),
       withdrawn = max(patient_state.withdrawn, old.withdrawn),
       erasure_pending = max(patient_state.erasure_pending, old.erasure_pending),
       account_off = max(patient_state.account_off, old.account_off)
     FROM (SELECT opposed, withdrawn, erasure_pending, account_off FROM patient_state WHERE person = ?) AS old
     WHERE patient_state.person = ?`,
    from,
    to,
  );
  db.run('INSERT OR IGNORE INTO patient_state (person) VALUES (?)', from);
  db.run(ENDED, to, from);
}

/** The former key keeps no switch, and says where it went. */
const ENDED = `UPDATE patient_state SET merged_into = ?, opposed = 0, withdrawn = 0, erasure_pending = 0,
  account_off = 0 WHERE person = ?`;

/**
 * Refuses a plan that was made under a key that is no more: its rows would lie outside the person's state and rights.
 * @throws {Fault} conflict
 */
export function refuseMerged(db: Database, persons: Iterable<string>): void {
  for (const person of persons) {
    const merged = db.get('SELECT 1 FROM patient_state WHERE person = ? AND merged_into IS NOT NULL', person);
    if (merged !== undefined) throw personJoined();
  }
}

/** The key under which a person's events are read today. */
export function presentKey(db: Database, person: string): string {
  return db.get<{ person: string }>('SELECT person FROM former_person WHERE former = ?', person)?.person ?? person;
}

/** Lets the person read under the new key what was, or will yet be, recorded under the old one. */
export function rekeyTrail(db: Database, { from, to }: Rekey): void {
  if (from === to) return;
  db.run('UPDATE former_person SET person = ? WHERE person = ?', to, from);
  db.run('INSERT OR REPLACE INTO former_person (former, person) VALUES (?, ?)', from, to);
  db.run('UPDATE OR IGNORE acl SET principal = ? WHERE principal = ?', principal.patient(to), principal.patient(from));
}
