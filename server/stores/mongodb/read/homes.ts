/** Who identities are by themselves. */
import type { AnswerTo, Question } from '../../../ports/record-store.ts';
import type { Homes } from '../../../ports/telling.ts';
import { homesIn, identitiesToLookUp, NO_HOMES } from '../../homes.ts';
import { rowKey } from '../write/acl-rows.ts';
import type { Reader } from './reader.ts';

/** The homes of an answer. */
export async function homesOf(
  { collections, session }: Pick<Reader, 'collections' | 'session'>,
  answer: AnswerTo<Question>,
): Promise<Homes> {
  const keys = identitiesToLookUp(answer).map((identity) => rowKey('Person', identity.slice('Patient/'.length)));
  if (keys.length === 0) return NO_HOMES;
  const options = { session, projection: { id: 1, json: 1 } } as const;
  return homesIn(await collections.standing.find({ _id: { $in: keys } }, options).toArray());
}
