/** What searches of events are refused, in any store: they repeat what they need and join no other rows (DESIGN 5). */
import { Fault } from '../../profiles/fault.ts';

/** What a search of events by a chain is answered. */
export function eventChainRefused(): Fault {
  return new Fault('not-supported', 'AuditEvents cannot be searched through other resources');
}

/** Most events of its items that the office of an establishment finds at once: one more is read, and refused. */
export const MOST_EVENTS = 50_000;

/** So many items are looked for in the trail at once. */
export const ITEMS_AT_ONCE = 1_000;

/**
 * Requires that so many events of its items are not too many.
 * @throws {Fault} too-costly
 */
export function requireFewEvents(events: number): void {
  if (events <= MOST_EVENTS) return;
  const text = `More than ${MOST_EVENTS} events are of what the establishment filed; ask for a shorter time`;
  throw new Fault('too-costly', text, { expression: 'date' });
}
