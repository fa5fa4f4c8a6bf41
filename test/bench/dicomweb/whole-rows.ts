/**
 * Loaded before the server (`--import`): lists read whole rows. For the bench alone; the product has no such switch.
 */
import type { Question } from '../../../server/ports/record-store.ts';
import { SqliteRecordStore } from '../../../server/stores/sqlite/records.ts';

const { look } = SqliteRecordStore.prototype;
SqliteRecordStore.prototype.look = async function whole(grant, question, account) {
  return (await look.call(this, grant, wholeRows(question), account as never)) as never;
};

function wholeRows(question: Question): Question {
  if (question.kind !== 'search') return question;
  const { withoutTail: _, ...query } = question.query;
  return { ...question, query };
}
