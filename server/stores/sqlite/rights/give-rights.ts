/**
 * Keeps the rights that rows give: one for each principal, relation, scope and time. The row that began first to give
 * it stands in it; the others, of which most rights have none, are kept beside it.
 */
import { consentOf, isOfItself, type Right } from '../../../access/right.ts';
import { nextPlace } from '../../places.ts';
import { toScopeKey } from '../../right-scopes.ts';
import type { Database } from '../database.ts';
import { materialiseNewRight, toRight, type RightRow } from './materialise.ts';

const GIVEN = `SELECT * FROM access_right WHERE giver = ?
  UNION ALL SELECT r.* FROM further_giver g JOIN access_right r ON r.id = g.right_id WHERE g.giver = ?`;

/** The rights that a row gives, as they stand. */
export function givenBy(db: Database, giver: string): Right[] {
  return db.all<RightRow>(GIVEN, giver, giver).map(toRight);
}

/**
 * Brings what a row gives from one list to another. Who holds a new right to the record, or to another row, sees what
 * stands at once; the access to the row itself, which is at `rid`, is written after.
 */
export function giveRights(
  db: Database,
  giver: string,
  before: readonly Right[],
  after: readonly Right[],
  rid?: number,
): void {
  for (const right of before) if (!isAmong(after, right)) stopGiving(db, right, giver);
  for (const right of after) if (!isAmong(before, right)) beginGiving(db, right, rid);
}

function isAmong(rights: readonly Right[], { id, person }: Right): boolean {
  return rights.some((right) => right.id === id && right.person === person);
}

function beginGiving(db: Database, right: Right, rid: number | undefined): void {
  const place = nextPlace();
  if (!insertRight(db, right, place)) addGiver(db, right.id, right.giver, place);
  else if (right.scope === 'record' || !isOfItself(right)) materialiseNewRight(db, right, rid);
}

/** A right goes with its last giver; else the one that began next stands in it. */
function stopGiving(db: Database, right: Right, giver: string): void {
  if (right.giver === giver) nameFirst(db, right);
  else db.run('DELETE FROM further_giver WHERE right_id = ? AND giver = ?', right.id, giver);
}

/** Lets the first of the givers beside a right stand in it; without any the right ends. Answers whether it stands. */
export function nameFirst(db: Database, right: Right): boolean {
  const first = db.get<{ place: number; giver: string }>(FIRST, right.id);
  if (first === undefined) {
    db.run('DELETE FROM access_right WHERE id = ?', right.id);
    db.run('DELETE FROM acl WHERE right_id = ?', right.id);
    return false;
  }
  const { place, giver } = first;
  db.run('DELETE FROM further_giver WHERE right_id = ? AND place = ? AND giver = ?', right.id, place, giver);
  db.run('UPDATE access_right SET giver = ?, place = ? WHERE id = ?', giver, place, right.id);
  const source = consentOf({ ...right, giver }) ?? null;
  if (source !== (consentOf(right) ?? null)) db.run('UPDATE acl SET source = ? WHERE right_id = ?', source, right.id);
  return true;
}

const FIRST = 'SELECT place, giver FROM further_giver WHERE right_id = ? ORDER BY place, giver LIMIT 1';

/** Writes a right, unless it stands; answers whether it is new. `place` is that of its giver among others. */
export function insertRight(db: Database, right: Right, place: number): boolean {
  return (
    db.run(
      `INSERT INTO access_right (id, person, principal, relation, item, valid_from, valid_to, giver, place)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      right.id,
      right.person,
      right.principal,
      right.relation,
      toScopeKey(right.scope) ?? null,
      right.from,
      right.to,
      right.giver,
      place,
    ) === 1
  );
}

function addGiver(db: Database, id: string, giver: string, place: number): void {
  db.run('INSERT INTO further_giver (right_id, giver, place) VALUES (?, ?, ?)', id, giver, place);
}
