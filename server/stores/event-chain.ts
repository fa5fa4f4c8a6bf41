/** What searches of events are refused, in any store: they repeat what they need and join no other rows (DESIGN 5). */
import { Fault } from '../../profiles/fault.ts';
import type { Criterion } from '../../profiles/search/criterion.ts';

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

/** Most events that a search reads for what no index tells: as many as a list of accesses is made of. */
export const MOST_READ = 10_000;

/** So many of them are read at once. */
export const READ_AT_ONCE = 100;

/**
 * Requires that so many events are not too many to be read.
 * @throws {Fault} too-costly - it names the first parameter for which they would be
 */
export function requireFewToRead(events: number, [asked]: readonly Criterion[]): void {
  if (events <= MOST_READ) return;
  const expression = asked !== undefined && 'param' in asked ? (asked.param.split(':')[0] ?? '') : '';
  const text = `More than ${MOST_READ} events would be read for ${expression}; ask for a shorter time, or for less`;
  throw new Fault('too-costly', text, { expression });
}
