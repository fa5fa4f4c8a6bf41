/**
 * The guard: grant, run, audit, in one place. A flow asks its question through here; the answer leaves the store only
 * with its events, and what is refused is recorded as refused.
 */
import type { PassageKind, TouchedEntity } from '../../profiles/audit/audit-event.ts';
import { parametersOfSearch, type IsServed } from '../../profiles/search/used-parameters.ts';
import { Fault, toFault } from '../../profiles/fault.ts';
import { eventRecords, recordOf, refusalAbout, type About, type Occasion } from './audit/event-records.ts';
import { grantFor, type Grant } from '../access/grant.ts';
import type { PersonKey, Requester } from '../access/requester.ts';
import type { AuditTrail } from '../ports/audit-trail.ts';
import type { Clock } from '../ports/clock.ts';
import type { AuditRecord } from '../ports/commit-plan.ts';
import type { AnswerTo, Audited, Passage, Question, RecordStore, VisibleRow } from '../ports/record-store.ts';

/** What the guard needs. */
export type GuardDeps = {
  readonly records: RecordStore;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly isServed: IsServed;
};

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
  /** Set when the requester is told that the row was deleted: the event is one of a refusal, of the row's person. */
  readonly deleted?: true;
};

/** The account of an answer that shows nothing. */
export const NOTHING: Account = { rows: [], entities: [], absent: true };

/** A refusal whose event stands already, because the question was audited. */
class RecordedFault extends Fault {}

/** What a flow throws when its audited answer was {@link Account} `absent`. */
export function foundNothing(message: string): Fault {
  return new RecordedFault('not-found', message);
}

/** What a flow throws when its audited answer was {@link Account} `deleted`. */
export function foundDeleted(message: string): Fault {
  return new RecordedFault('deleted', message);
}

/** The grant of a visit, now. */
export function grantOf(deps: GuardDeps, visit: Visit): Grant {
  return grantFor(visit.requester, deps.clock.now());
}

/** An audited answer, and the id of its first event. */
export type Recorded<A> = Audited<A> & { readonly event: string };

/**
 * Asks a question for a visit and records it: one event for each person whose rows were shown, at least one.
 * @throws {Fault} transient - it rests on a search parameter that does not find every row yet
 */
export async function guarded<Q extends Question>(
  deps: GuardDeps,
  visit: Visit,
  kind: PassageKind,
  question: Q,
  tell: (answer: AnswerTo<Q>) => Account,
): Promise<Recorded<AnswerTo<Q>>> {
  requireComplete(deps, question);
  const recordAt = eventRecords(deps.clock, occasionOf(visit), kind);
  let event = '';
  const account = (answer: AnswerTo<Q>): ReturnType<typeof recordsOf> => {
    const records = recordsOf(recordAt, tell(answer));
    event = records[0].event.id;
    return records;
  };
  const audited = await deps.records.look(grantOf(deps, visit), question, account);
  return { ...audited, event };
}

/** Doors that ask by parameters of their own must not miss rows that a job has yet to index. */
function requireComplete({ isServed }: GuardDeps, question: Question): void {
  const search = question.kind === 'search' ? question.query : studiesOf(question);
  if (search === undefined) return;
  const lacking = parametersOfSearch(search).find(({ type, code }) => !isServed(type, code));
  if (lacking !== undefined)
    throw new Fault('transient', `${lacking.type} is being indexed by ${lacking.code}: try again later`);
}

function studiesOf(question: Question) {
  return question.kind === 'parts' ? ({ ...question.studies, type: 'ImagingStudy' } as const) : undefined;
}

/** Reads a further part of an audited answer, under what holds now. */
export async function further<Q extends Question>(
  deps: Pick<GuardDeps, 'records' | 'clock'>,
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
  await deps.trail.record([eventRecord(deps.clock, visit, kind, refusalAbout(fault))]);
}

/** The record of an event about one person, or about none: for writes, which carry their events in their plan. */
export function eventRecord(clock: Clock, visit: Visit, kind: PassageKind, about: About): AuditRecord {
  return recordOf(clock, occasionOf(visit), kind, about);
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
  return eventRecord(clock, visit, kind, { entities, ...aboutRow(row) });
}

/** What every event of a visit repeats. */
function occasionOf({ requester, requestId, server, address }: Visit): Occasion {
  return {
    requestId,
    server,
    client: { id: requester.clientId, ...(address === undefined ? {} : { address }) },
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

/** One record for each person whose rows were shown, at least one. */
function recordsOf(
  recordAt: ReturnType<typeof eventRecords>,
  { rows, entities, absent, deleted }: Account,
): readonly [AuditRecord, ...AuditRecord[]] {
  if (absent === true) return [recordAt(0, { entities, outcome: '4', outcomeDesc: 'not-found' })];
  const about = { entities, ...(deleted === true ? ({ outcome: '4', outcomeDesc: 'deleted' } as const) : {}) };
  const persons = new Map<PersonKey, ShownRow>();
  for (const row of rows) if (row.person !== undefined && !persons.has(row.person)) persons.set(row.person, row);
  const [first, ...others] = [...persons.values()].map((row, at) => recordAt(at, { ...about, ...aboutRow(row) }));
  return first === undefined ? [recordAt(0, about)] : [first, ...others];
}

function aboutRow({ person, subject, shownBy }: ShownRow): About {
  return {
    ...(person === undefined ? {} : { person }),
    ...(subject === undefined ? {} : { patient: subject }),
    ...(shownBy?.source === undefined ? {} : { consent: shownBy.source }),
    ...(shownBy === undefined ? {} : { relation: shownBy.relation }),
  };
}
