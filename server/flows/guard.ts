/**
 * The guard: grant, run, audit, in one place. A flow asks its question through here; the answer leaves the store only
 * with its events, and what is refused is recorded as refused.
 */
import type { TouchedEntity } from '../../profiles/audit/facts.ts';
import type { PassageKind } from '../../profiles/audit/shapes.ts';
import { toldQuery, type Hers } from '../../profiles/audit/told-query.ts';
import { parametersOfSearch, type IsServed } from '../../profiles/search/used-parameters.ts';
import { Fault, toFault } from '../../profiles/fault.ts';
import { eventRecords, recordOf, refusalAbout, type About, type Occasion } from './audit/event-records.ts';
import { toldExams } from './audit/told-exams.ts';
import { grantFor, type Grant } from '../access/grant.ts';
import type { PersonKey, Requester } from '../access/requester.ts';
import type { AuditTrail } from '../ports/audit-trail.ts';
import type { Clock } from '../ports/clock.ts';
import type { AuditRecord } from '../ports/commit-plan.ts';
import type { AnswerTo, Audited, Passage, Question, RecordStore, VisibleRow } from '../ports/record-store.ts';
import type { Events, Homes, Telling } from '../ports/telling.ts';

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

/**
 * What an event tells of one answer: the rows shown, and what was touched or asked. The rows of one person have one
 * event, which each reads who their identities are by themselves.
 */
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

/**
 * An audited answer, the id of its first event, and of which identities (`Patient/id`) its events tell, with who reads
 * that: what is read on of others has events of its own ({@link readOn}).
 */
export type Recorded<A> = Audited<A> & {
  readonly event: string;
  readonly told: Told;
};

/** Identities that events tell of, and who each is by herself: nobody where a row is of nobody. */
export type Told = Map<string, PersonKey | undefined>;

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
  let first: Pick<Recorded<unknown>, 'event' | 'told'> = { event: '', told: new Map() };
  const account: Telling<AnswerTo<Q>, Events> = (answer, homes) => {
    const about = tell(answer);
    const records = recordsOf(recordAt, about, homes);
    first = { event: records[0].event.id, told: toldOf(about.rows, homes) };
    return records;
  };
  const audited = await deps.records.look(grantOf(deps, visit), toBeTold(question), account);
  return { ...audited, ...first };
}

/** The question of an answer whose event says which study it is of. */
function toBeTold<Q extends Question>(question: Q): Q {
  if (question.kind === 'instances' || question.kind === 'metadata') return { ...question, withStudy: true };
  return question.kind === 'resource' && question.type === 'Binary' ? { ...question, withItem: true } : question;
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

/**
 * Reads a further part of an audited answer. What it shows of identities that no event of it tells of yet is told by
 * events of their own, before it is answered.
 */
export async function readOn<Q extends Question>(
  deps: GuardDeps,
  { visit, kind, recorded: { passage, told } }: Reading,
  question: Q,
  tell: (answer: AnswerTo<Q>) => Account,
): Promise<AnswerTo<Q>> {
  const recordAt = eventRecords(deps.clock, occasionOf(visit), kind);
  let further: Told = new Map();
  const account: Telling<AnswerTo<Q>> = (answer, homes) => {
    const about = tell(answer);
    const found = about.rows.filter((row) => row.person !== undefined && !told.has(identityOf(row)));
    further = toldOf(found, homes);
    return found.length === 0 ? [] : recordsOf(recordAt, { ...about, rows: found }, homes);
  };
  const answer = await deps.records.follow(passage, toBeTold(question), deps.clock.now(), account);
  for (const [identity, person] of further) told.set(identity, person);
  return answer;
}

/** An answer that is read on. */
export type Reading = {
  readonly visit: Visit;
  readonly kind: PassageKind;
  readonly recorded: Pick<Recorded<unknown>, 'passage' | 'told'>;
};

/** The identity that an event of a row tells of. */
export function identityOf({ identity, subject = '' }: ShownRow): string {
  return identity ?? subject;
}

function toldOf(rows: readonly ShownRow[], homes: Homes): Told {
  return new Map(rows.map((row) => [identityOf(row), homeOf(row, homes)]));
}

/** Who the identity of a row is by itself. */
function homeOf({ person, identity = '' }: ShownRow, homes: Homes): PersonKey | undefined {
  return homes.get(identity) ?? person;
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

/** What an event tells of a row that was shown; `isBeside` when it is not what was asked for, but comes with it. */
export type ShownRow = Pick<VisibleRow, 'person' | 'subject' | 'identity' | 'shownBy'> &
  Partial<Pick<VisibleRow, 'type' | 'id' | 'json' | 'isOpenToPatient' | 'item'>> & { readonly isBeside?: true };

/** The rows of a page and those beside it. The Patient of a row that is shown is told of with that row. */
export function shownRows(rows: readonly VisibleRow[], included: readonly VisibleRow[]): readonly ShownRow[] {
  const persons = new Set(rows.map(({ person }) => person));
  const beside = included.filter(({ type, person }) => type !== 'Patient' || !persons.has(person));
  return [...rows, ...beside.map((row) => ({ ...row, isBeside: true }) as const)];
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
      ...(requester.kind === 'practitioner' ? { roles: requester.roles } : {}),
      ...(requester.tokenId === undefined ? {} : { tokenId: requester.tokenId }),
      ...(requester.assertion === undefined ? {} : { assertion: requester.assertion }),
    },
  };
}

/** `Practitioner/…`, `Patient/…`, `RelatedPerson/…` or `Organization/…` of a requester. */
export function referenceOf(requester: Requester): string {
  return requester.kind === 'representative' ? requester.related : filerOf(requester);
}

/** As whom a requester files: who represents a patient files as she, whose what is said then is. */
export function filerOf(requester: Requester): string {
  switch (requester.kind) {
    case 'practitioner':
      return requester.practitioner;
    case 'patient':
    case 'representative':
      return requester.patient;
    case 'establishment':
      return requester.organization;
  }
}

/** One record for each person whose rows were shown; at least one. */
function recordsOf(
  recordAt: ReturnType<typeof eventRecords>,
  { rows, entities, absent, deleted }: Account,
  homes: Homes,
): Events {
  if (absent === true) return [recordAt(0, { entities, outcome: '4', outcomeDesc: 'not-found' })];
  const about = { entities, ...(deleted === true ? ({ outcome: '4', outcomeDesc: 'deleted' } as const) : {}) };
  const persons = Map.groupBy(rows, ({ person }) => person);
  const told = [...persons].flatMap(([person, hers]) =>
    person === undefined
      ? []
      : [{ ...aboutRows(hers, homes), ...toldExams(hers, toldTo(hers, entities), areOfSeveral(hers, homes)) }],
  );
  const [first, ...others] = told.map((one, at) => recordAt(at, { ...about, ...one }));
  if (first === undefined) return [recordAt(0, about)];
  return [withRequest(first, entities, told), ...others];
}

/** Whether rows of one person are of several identities that are persons by themselves: each reads the event. */
function areOfSeveral(rows: readonly ShownRow[], homes: Homes): boolean {
  return new Set(rows.map((row) => homeOf(row, homes))).size > 1;
}

/** The query as it was asked is kept beside the first event, where those of persons do not tell all of it. */
function withRequest(first: AuditRecord, asked: readonly TouchedEntity[], told: readonly About[]): AuditRecord {
  const request = asked.find(({ query }) => query !== undefined)?.query;
  const isTold = told.every(({ entities = [] }) => entities.some(({ query }) => query === request));
  return request === undefined || isTold ? first : { ...first, request };
}

/** What was touched and asked, as the event of one person tells it: of the query, what is hers. */
function toldTo(rows: readonly ShownRow[], entities: readonly TouchedEntity[]): readonly TouchedEntity[] {
  if (!entities.some(({ query }) => query !== undefined)) return entities;
  const hers: Hers = { names: new Set(rows.flatMap(namesOf)), isSought: rows.some((row) => row.isBeside !== true) };
  return entities.map((one) => {
    const query = one.query === undefined ? undefined : toldQuery(one.query, hers);
    return query === one.query ? one : { ...one, query: query ?? '' };
  });
}

function namesOf(row: ShownRow): readonly string[] {
  const { type, id, subject } = row;
  const references = [identityOf(row), subject ?? '', type === undefined ? '' : `${type}/${id}`];
  return references.flatMap((reference) => {
    const logicalId = reference.slice(reference.indexOf('/') + 1);
    return logicalId === '' ? [] : [reference, logicalId, `urn:uuid:${logicalId}`];
  });
}

/** Rows of one person. Of several identities of hers each reads of it, whoever they are later, and finds it as hers. */
function aboutRows([row, ...further]: readonly ShownRow[], homes: Homes): About {
  if (row === undefined) return {};
  const first = aboutRow(row, homes);
  const persons = new Set(further.flatMap((one) => homeOf(one, homes) ?? []));
  if (first.person !== undefined) persons.delete(first.person);
  if (persons.size === 0) return first;
  const { subject: patient } = row;
  const identities = new Set([row, ...further].map(identityOf).filter((identity) => identity !== ''));
  if (patient !== undefined) identities.delete(patient);
  return { ...first, others: [...persons], identities: [...identities], ...(patient === undefined ? {} : { patient }) };
}

function aboutRow(row: ShownRow, homes: Homes): About {
  const { subject, shownBy } = row;
  const person = homeOf(row, homes);
  return {
    ...(person === undefined ? {} : { person }),
    ...(subject === undefined ? {} : { patient: identityOf(row) }),
    ...(shownBy?.source === undefined ? {} : { consent: shownBy.source }),
    ...(shownBy === undefined ? {} : { relation: shownBy.relation }),
  };
}
