/**
 * The one builder of AuditEvents. Every event of the server is made here, by one rule: its id is a UUID of version 7,
 * taken once, when the event is first asked for. So a plan that is sent again, and an account that a store asks for
 * again, tell of the same event.
 */
import { randomUUID } from 'node:crypto';
import { buildAuditEvent } from '../../../profiles/audit/audit-event.ts';
import type { PassageFacts } from '../../../profiles/audit/facts.ts';
import type { PassageKind } from '../../../profiles/audit/shapes.ts';
import { isEmergency } from '../../../profiles/consent/emergency.ts';
import { SUPPORT } from '../../../profiles/consent/giving/support-category.ts';
import type { Fault } from '../../../profiles/fault.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import { newId } from '../new-id.ts';

/** What all events of one request repeat: its id, the door, the client, and who stands behind the client if known. */
export type Occasion = Pick<PassageFacts, 'requestId' | 'server' | 'client' | 'user'>;

/**
 * What one event tells beside its occasion. `person` may read it, and `others` who are one with her at present; nobody
 * when absent. The outcome is 0 when absent.
 */
export type About = Partial<Omit<PassageFacts, keyof Occasion | 'id' | 'kind' | 'recorded'>> & {
  readonly person?: PersonKey;
  readonly others?: readonly PersonKey[];
};

/** Makes the records of one passage, each by its position from 0; asked again for a position, it keeps the id. */
export function eventRecords(
  clock: Clock,
  occasion: Occasion,
  kind: PassageKind,
): (position: number, about: About) => AuditRecord {
  const recorded = new Date(clock.now()).toISOString();
  const ids: string[] = [];
  return (position, { person, others = [], ...about }) => {
    const id = (ids[position] ??= newId(clock.now()));
    const event = buildAuditEvent(withPurpose({ id, kind, recorded, outcome: '0', ...occasion, ...about }));
    return { event, persons: person === undefined ? [] : [person, ...others] };
  };
}

/** The record of a single event. */
export function recordOf(clock: Clock, occasion: Occasion, kind: PassageKind, about: About): AuditRecord {
  return eventRecords(clock, occasion, kind)(0, about);
}

/** The id of an event that a job is to record: taken when the job is asked for, so that it is recorded once. */
export function idOfLaterEvent(clock: Clock): string {
  return newId(clock.now());
}

/** What an event tells of a Fault: 8 is the server's own, 4 the caller's. */
export function refusalAbout(fault: Fault): About {
  return { outcome: fault.kind === 'exception' ? '8' : '4', outcomeDesc: `${fault.kind}: ${fault.message}` };
}

/** An occasion of the server's own work, or of an operator's command: `client` says which. */
export function ownOccasion(client: 'passerelle' | 'operator'): Occasion {
  return { requestId: randomUUID(), server: 'passerelle', client: { id: client } };
}

/** What an emergency, or a ticket of support, shows is shown for that purpose, whatever the token said. */
function withPurpose(facts: PassageFacts): PassageFacts {
  const { relation, user } = facts;
  const purpose = isEmergency(relation) ? 'BTG' : relation === SUPPORT ? 'HSYSADMIN' : undefined;
  return purpose === undefined || user === undefined ? facts : { ...facts, user: { ...user, purpose } };
}
