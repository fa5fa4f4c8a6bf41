/** AuditEvents repeat what they need and join no other rows, in any store (DESIGN 5). */
import { Fault } from '../../profiles/fault.ts';

/** What a search of events by a chain is answered. */
export function eventChainRefused(): Fault {
  return new Fault('not-supported', 'AuditEvents cannot be searched through other resources');
}
