/** A search of events by what no index keeps, on MongoDB: the events that its other conditions leave are read. */
import type { Filter } from 'mongodb';
import { tells } from '../../../../profiles/audit/told-by-event.ts';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import { MOST_READ, READ_AT_ONCE, requireFewToRead } from '../../event-chain.ts';
import type { AuditDocument } from '../documents.ts';
import type { Reader } from '../read/reader.ts';
import { seenEvents } from './seen-events.ts';

/**
 * The condition that an event is one of those that a filter leaves and that tell what is asked for.
 * @throws {Fault} too-costly - too many events would be read
 */
export async function eventsTelling(
  reader: Reader,
  filter: Filter<AuditDocument>,
  read: readonly Criterion[],
): Promise<Filter<AuditDocument>> {
  const { collections, session } = reader;
  const projection = { id: 1, sequence: 1, event: 1 } as const;
  const few = collections.audit.find(filter, { session, projection: { _id: 1 }, limit: MOST_READ + 1 });
  const ids = (await few.toArray()).map(({ _id }) => _id);
  requireFewToRead(ids.length, read);
  const found: string[] = [];
  for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
    const some = { _id: { $in: ids.slice(at, at + READ_AT_ONCE) } };
    const events = await seenEvents(reader, await collections.audit.find(some, { session, projection }).toArray());
    for (const [id, event] of events) if (tells(event, read)) found.push(id);
  }
  return { _id: { $in: found } };
}
