/** The rights that rows give when they become another person's. */
import { movedRight } from '../../../access/rights-of.ts';
import { isOfItself, principal, RELATIONS, type Right } from '../../../access/right.ts';
import type { Move } from '../../../ports/commit-plan.ts';
import type { Database } from '../database.ts';
import { insertRight, nameFirst } from './give-rights.ts';
import { toRight, type RightRow } from './materialise.ts';

/**
 * Moves what some rows (`Type/id`) give, each in the place where it began. Answers the ids of the rights that are new
 * to the person; of others the access stays, but for that to the rows.
 */
export function moveRights(
  db: Database,
  { from, to }: Pick<Move, 'from' | 'to'>,
  rows: readonly string[],
): ReadonlySet<string> {
  if (rows.length === 0) return new Set();
  const givers = JSON.stringify(rows);
  // Who filed a row, or is named by it, holds a right to it that the row itself gives.
  for (const right of db.all<RightRow>(TO_HERSELF, from, principal.patient(from), givers)) {
    const moved = movedRight(toRight(right), from, to);
    db.run('UPDATE access_right SET id = ?, principal = ? WHERE id = ?', moved.id, moved.principal, right.id);
  }
  db.run(
    `UPDATE access_right SET person = ? WHERE person = ? AND relation IN (${OF_ITSELF}) AND item IN (${LISTED})`,
    to,
    from,
    givers,
  );
  const others = db.all<RightRow>(
    `SELECT * FROM access_right WHERE person = ? AND (item IS NULL OR relation NOT IN (${OF_ITSELF})) ORDER BY id`,
    from,
  );
  const moves = others.map(toRight).map((right) => ({ right, moved: movedRight(right, from, to) }));
  return new Set(moves.flatMap(({ right, moved }) => (moveGivers(db, right, moved, givers) ? [moved.id] : [])));
}

const OF_ITSELF = RELATIONS.filter((relation) => isOfItself({ relation }))
  .map((relation) => `'${relation}'`)
  .join();

const LISTED = 'SELECT value FROM json_each(?)';

const TO_HERSELF = `SELECT * FROM access_right WHERE person = ? AND principal = ? AND item IN (${LISTED})`;

/** Answers whether the right begins that they give from now on. */
function moveGivers(db: Database, right: Right, moved: Right, givers: string): boolean {
  if (db.get(GIVES, right.id, right.id, givers) === undefined) return false;
  const standing = db.get<RightRow>('SELECT * FROM access_right WHERE id = ?', moved.id);
  for (const { id } of [right, moved]) db.run(SET_ASIDE, id);
  db.run(
    `UPDATE further_giver SET right_id = ? WHERE right_id = ? AND giver IN (${LISTED})`,
    moved.id,
    right.id,
    givers,
  );
  nameFirst(db, right);
  if (standing === undefined) insertRight(db, moved, 0);
  nameFirst(db, standing === undefined ? moved : toRight(standing));
  return standing === undefined;
}

const GIVES = `SELECT 1 FROM (SELECT giver FROM access_right WHERE id = ?
  UNION ALL SELECT giver FROM further_giver WHERE right_id = ?) WHERE giver IN (${LISTED}) LIMIT 1`;

/** The giver that stands in a right is one of several until the first of them is named. */
const SET_ASIDE =
  'INSERT INTO further_giver (right_id, place, giver) SELECT id, place, giver FROM access_right WHERE id = ?';
