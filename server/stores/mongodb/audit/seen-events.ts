/** AuditEvents on MongoDB as they are read: put together again, as far as their personal sides are there. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { withoutExamWords } from '../../../../profiles/audit/exam-label.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { organizationsOverseen, readsWholeTrail } from '../../../access/grant.ts';
import { restoreEvent } from '../../audit-chain.ts';
import type { AuditDocument } from '../documents.ts';
import type { Reader } from '../read/reader.ts';
import { readByOffice } from './office.ts';

/** Some events by their ids; those that whoever reads does not see are not among them. */
export async function seenEvents(
  reader: Reader,
  found: readonly AuditDocument[],
): Promise<ReadonlyMap<string, AuditEvent>> {
  const sealed = await readSealed(reader, found);
  const events = new Map<string, AuditEvent>();
  for (const { id, sequence = 0, event: text } of found) {
    const event = text === undefined ? sealed.get(sequence) : (JSON.parse(text) as AuditEvent);
    if (event === undefined) throw new Fault('exception', 'The audit trail lacks an entry');
    const seen = await seenEvent(reader, event);
    if (seen !== undefined) events.set(id, seen);
  }
  return events;
}

/** Officers see no words of exams (access.md C7), and that of an establishment its part alone. */
async function seenEvent(reader: Reader, event: AuditEvent): Promise<AuditEvent | undefined> {
  if (organizationsOverseen(reader.grant).length > 0) return await readByOffice(reader, event);
  return readsWholeTrail(reader.grant) ? withoutExamWords(event) : event;
}

/** Sealed events by sequence. */
async function readSealed(
  { collections, session }: Reader,
  found: readonly AuditDocument[],
): Promise<ReadonlyMap<number, AuditEvent>> {
  const sequences = found.flatMap(({ sequence }) => (sequence === undefined ? [] : [sequence]));
  if (sequences.length === 0) return new Map();
  const entries = await collections.chain.find({ _id: { $in: sequences } }, { session }).toArray();
  const sides = await collections.personal.find({ _id: { $in: sequences } }, { session }).toArray();
  const bySequence = new Map(sides.map((side) => [side._id, side]));
  return new Map(
    entries.map(({ _id, body }) => {
      const { agents, entities } = bySequence.get(_id) ?? {};
      return [_id, restoreEvent(body, { agents, entities })];
    }),
  );
}
