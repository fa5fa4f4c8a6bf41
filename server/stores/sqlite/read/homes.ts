/** Who identities are by themselves. */
import type { AnswerTo, Question } from '../../../ports/record-store.ts';
import type { Homes } from '../../../ports/telling.ts';
import { homesIn, identitiesToLookUp, NO_HOMES } from '../../homes.ts';
import type { Database } from '../database.ts';

/** The homes of an answer. They never change, so they need not be of its snapshot. */
export function homesOf(db: Database, answer: AnswerTo<Question>): Homes {
  const ids = identitiesToLookUp(answer).map((identity) => identity.slice('Patient/'.length));
  return ids.length === 0 ? NO_HOMES : homesIn(db.all<{ id: string; json: string }>(PERSONS, JSON.stringify(ids)));
}

const PERSONS = `SELECT x.id, x.json FROM json_each(?) j CROSS JOIN resource x ON x.type = 'Person' AND x.id = j.value`;
