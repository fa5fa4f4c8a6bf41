/**
 * The guard: grant, run, audit, in one place. A flow asks its question through here; the answer leaves the store only
 * with its events, and what is refused is recorded as refused.
 */
import {
  buildAuditEvent,
  type PassageFacts,
  type PassageKind,
  type TouchedEntity,
} from '../../profiles/audit/audit-event.ts';
import { Fault, toFault } from '../../profiles/fault.ts';
import { newEventId } from './event-id.ts';
import { grantFor, type Grant } from '../access/grant.ts';
import type { PersonKey, Requester } from '../access/requester.ts';
import type { AuditTrail } from '../ports/audit-trail.ts';
import type { Clock } from '../ports/clock.ts';
import type { AuditRecord } from '../ports/commit-plan.ts';
import type { AnswerTo, Audited, Passage, Question, RecordStore, VisibleRow } from '../ports/record-store.ts';

/** What the guard needs. */
export type GuardDeps = { readonly records: RecordStore; readonly trail: AuditTrail; readonly clock: Clock };

/** One request at a door. */
export type Visit = {
  readonly requester: Requester;
  /** X-Request-Id, MessageID or association id: the same in every event of the request. */
  readonly requestId: string;
  /** Network address of the peer. */
  readonly address?: string;
  /** The door that was passed, by its base URL or name. */
  readonly server: string;
};

/** What an event tells of one answer: the rows shown, and what was touched or asked. */
export type Account = {
  readonly rows: readonly ShownRow[];
  readonly entities: readonly TouchedEntity[];
  /** Set when the requester is told that there is no such thing: the event then is one of a refusal. */
  readonly absent?: true;
};

/** The account of an answer that shows nothing. */
export const NOTHING: Account = { rows: [], entities: [], absent: true };

/** A not-found whose event stands already, because the question was audited. */
class RecordedFault extends Fault {}

/** What a flow throws when its audited answer was {@link Account} `absent`. */
export function foundNothing(message: string): Fault {
  return new RecordedFault('not-found', message);
}

/** The grant of a visit, now. */
export function grantOf(deps: GuardDeps, visit: Visit): Grant {
  return grantFor(visit.requester, deps.clock.now());
}

/**
 * Asks a question for a visit and records it: one event for each person whose rows were shown, at least one. `inWords`
 * is as in RecordStore.look.
 */
export async function guarded<Q extends Question, W = AnswerTo<Q>>(
  deps: GuardDeps,
  visit: Visit,
  kind: PassageKind,
  question: Q,
  tell: (answer: AnswerTo<Q>) => Account,
  inWords?: (answer: AnswerTo<Q>) => W,
): Promise<Audited<W>> {
  const eventAt = eventsOf(deps.clock, visit, kind);
  return await deps.records.look(grantOf(deps, visit), question, (answer) => recordsOf(eventAt, tell(answer)), inWords);
}

/** Reads a further part of an audited answer, under what holds now. */
export async function further<Q extends Question>(
  deps: GuardDeps,
  passage: Passage,
  question: Q,
): Promise<AnswerTo<Q>> {
  return await deps.records.follow(passage, question, deps.clock.now());
}

/** Runs a story; a Fault is recorded as a refusal of the visit before it goes on, unless its event stands already. */
export async function refusalsRecorded<T>(
  deps: GuardDeps,
  visit: Visit,
  kind: PassageKind,
  story: () => Promise<T>,
): Promise<T> {
  try {
    return await story();
  } catch (error) {
    if (!(error instanceof RecordedFault)) await recordRefusal(deps, visit, kind, toFault(error));
    throw error;
  }
}

/** Records that a visit was refused. */
export async function recordRefusal(
  deps: Pick<GuardDeps, 'trail' | 'clock'>,
  visit: Visit,
  kind: PassageKind,
  fault: Fault,
): Promise<void> {
  await deps.trail.record([refusalOf(deps.clock, visit, kind, fault)]);
}

/** What an event of a write tells beside its visit. */
export type About = Pick<Partial<PassageFacts>, 'patient' | 'entities' | 'consent' | 'outcome' | 'outcomeDesc'> & {
  readonly person?: PersonKey;
};

/** The record of an event about one person, or about none: for writes, which carry their events in their plan. */
export function eventRecord(clock: Clock, visit: Visit, kind: PassageKind, about: About): AuditRecord {
  const { person, ...facts } = about;
  return {
    event: buildAuditEvent({ ...factsOf(clock, visit, kind), ...facts }),
    persons: person === undefined ? [] : [person],
  };
}

/** What an event tells of a row that was shown. */
export type ShownRow = Pick<VisibleRow, 'person' | 'subject' | 'shownBy'>;

/** The record of a passage to one row, told after it. */
export function passageRecord(
  clock: Clock,
  visit: Visit,
  kind: PassageKind,
  row: ShownRow,
  entities: readonly TouchedEntity[],
): AuditRecord {
  const event = buildAuditEvent(withEmergency({ ...factsOf(clock, visit, kind), entities, ...aboutRow(row) }));
  return { event, persons: row.person === undefined ? [] : [row.person] };
}

/** The facts of a visit that every event of it repeats. */
export function factsOf(clock: Clock, visit: Visit, kind: PassageKind): PassageFacts {
  const { requester } = visit;
  return {
    id: newEventId(clock.now()),
    kind,
    recorded: new Date(clock.now()).toISOString(),
    outcome: '0',
    requestId: visit.requestId,
    server: visit.server,
    client: { id: requester.clientId, ...(visit.address === undefined ? {} : { address: visit.address }) },
    user: {
      reference: referenceOf(requester),
      display: requester.display,
      purpose: requester.purpose,
      ...(requester.tokenId === undefined ? {} : { tokenId: requester.tokenId }),
    },
  };
}

/** `Practitioner/…`, `Patient/…` or `Organization/…` of a requester. */
export function referenceOf(requester: Requester): string {
  if (requester.kind === 'practitioner') return requester.practitioner;
  return requester.kind === 'patient' ? requester.patient : requester.organization;
}

type EventAt = (position: number, about: Partial<PassageFacts>) => AuditRecord['event'];

/** Events with ids that stay the same when a store asks for the account again. */
function eventsOf(clock: Clock, visit: Visit, kind: PassageKind): EventAt {
  const first = factsOf(clock, visit, kind);
  const ids = [first.id];
  return (position, about) => {
    ids[position] ??= newEventId(clock.now());
    return buildAuditEvent(withEmergency({ ...first, id: ids[position] ?? first.id, ...about }));
  };
}

/** What an emergency access shows is shown for that purpose, whatever the token said. */
function withEmergency(facts: PassageFacts): PassageFacts {
  if (facts.relation !== 'break-glass' || facts.user === undefined) return facts;
  return { ...facts, user: { ...facts.user, purpose: 'BTG' } };
}

function recordsOf(eventAt: EventAt, { rows, entities, absent }: Account): readonly [AuditRecord, ...AuditRecord[]] {
  if (absent === true)
    return [{ event: eventAt(0, { entities, outcome: '4', outcomeDesc: 'not-found' }), persons: [] }];
  const persons = new Map<PersonKey, ShownRow>();
  for (const row of rows) if (row.person !== undefined && !persons.has(row.person)) persons.set(row.person, row);
  const [first, ...others] = [...persons].map(([person, row], at): AuditRecord => ({
    event: eventAt(at, { entities, ...aboutRow(row) }),
    persons: [person],
  }));
  return first === undefined ? [{ event: eventAt(0, { entities }), persons: [] }] : [first, ...others];
}

function aboutRow(row: ShownRow): Partial<PassageFacts> {
  return {
    ...(row.subject === undefined ? {} : { patient: row.subject }),
    ...(row.shownBy?.source === undefined ? {} : { consent: row.shownBy.source }),
    ...(row.shownBy === undefined ? {} : { relation: row.shownBy.relation }),
  };
}

function refusalOf(clock: Clock, visit: Visit, kind: PassageKind, fault: Fault): AuditRecord {
  const outcome = fault.kind === 'exception' ? '8' : '4';
  const event = buildAuditEvent({
    ...factsOf(clock, visit, kind),
    outcome,
    outcomeDesc: `${fault.kind}: ${fault.message}`,
  });
  return { event, persons: [] };
}
