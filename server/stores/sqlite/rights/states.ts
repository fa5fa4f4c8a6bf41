/** The switches of a person: those that are on for one of the identities that are she at present. */
import type { PatientState } from '../../../access/decide.ts';
import type { PersonKey } from '../../../access/requester.ts';
import type { Database } from '../database.ts';

const COLUMNS = {
  opposed: 'opposed',
  withdrawn: 'withdrawn',
  erasurePending: 'erasure_pending',
  accountOff: 'account_off',
} as const satisfies Record<keyof PatientState, string>;

// The keys of an object widen to strings.
const NAMES = Object.keys(COLUMNS) as readonly (keyof PatientState)[];

/** Changes what was said of an identity; answers who it is at present: the access to her is to be written anew. */
export function saySwitches(db: Database, person: PersonKey, change: Partial<PatientState>): string {
  db.run('INSERT OR IGNORE INTO patient_state (person) VALUES (?)', person);
  const row = db.get<Said>('SELECT said, merged_into FROM patient_state WHERE person = ?', person);
  const said = NAMES.reduce((bits, name, at) => {
    const value = change[name];
    return value === undefined ? bits : value ? bits | (1 << at) : bits & ~(1 << at);
  }, row?.said ?? 0);
  db.run('UPDATE patient_state SET said = ? WHERE person = ?', said, person);
  const present = row?.merged_into ?? person;
  writeCombined(db, present);
  return present;
}

/** Brings the switches of a person to those of her identities; answers whether one turned, so that her access does. */
export function combineStates(db: Database, person: PersonKey): boolean {
  return writeCombined(db, person) > 0;
}

type Said = { readonly said: number; readonly merged_into: string | null };

/** Answers whether one turned, as a number of rows. */
function writeCombined(db: Database, person: string): number {
  const all = db.all<Said>('SELECT said, merged_into FROM patient_state WHERE person = ?1 OR merged_into = ?1', person);
  // What was said of an identity that is somebody else counts there.
  const own = all.filter(({ merged_into: into }) => into === null || into === person);
  const state = own.reduce((bits, { said }) => bits | said, 0);
  return db.run(WRITE, ...NAMES.map((_, at) => (state >> at) & 1), person, ...NAMES.map((_, at) => (state >> at) & 1));
}

const WRITE = `UPDATE patient_state SET ${NAMES.map((name) => `${COLUMNS[name]} = ?`).join(', ')}
  WHERE person = ? AND (${NAMES.map((name) => COLUMNS[name]).join(', ')}) <> (${NAMES.map(() => '?').join(', ')})`;
