/**
 * A search of AuditEvents by a number of whose record they tell (ITI-81, patient.identifier). Events join no other rows
 * and keep no number: which Patients bear it now, as far as the requester sees them, is found first.
 */
import { spanOfEvents } from '../../../profiles/audit/event-span.ts';
import { Fault } from '../../../profiles/fault.ts';
import { isLink, type Criterion } from '../../../profiles/search/criterion.ts';
import type { SortKey } from '../../../profiles/search/order.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import type { SearchPage } from '../../ports/record-store.ts';
import { trailOfOfficer } from '../../access/grant.ts';
import { further, guarded, type Account, type GuardDeps, type Visit } from '../guard.ts';
import type { PassageKind } from '../../../profiles/audit/shapes.ts';

type ByPatient = Extract<Criterion, { kind: 'chain' }>;

/**
 * The criterion of a search of events that leads through their Patient; undefined where there is none.
 * @throws {Fault} not-supported - an officer asks, who sees no Patients (access.md C7): nothing found would not be true
 */
export function patientSought({ requester }: Visit, { type, where }: SearchQuery): ByPatient | undefined {
  const sought = type === 'AuditEvent' ? where.find(isByPatient) : undefined;
  if (sought !== undefined && trailOfOfficer(requester) !== undefined)
    throw new Fault('not-supported', 'Officers do not find events through Patients', {
      expression: `${sought.param}.${paramOf(sought)}`,
    });
  return sought;
}

function paramOf({ criterion }: ByPatient): string {
  return 'param' in criterion ? criterion.param : '_id';
}

function isByPatient(criterion: Criterion): criterion is ByPatient {
  return criterion.kind === 'chain' && criterion.target === 'Patient' && !isLink(criterion.criterion);
}

/** Most Patients that bear what is asked for; a person may have several. */
const MOST_PATIENTS = 100;

/** What is searched, behind which place, and what its event says of it. */
export type EventsAsked = {
  readonly question: { readonly kind: 'search'; readonly query: SearchQuery };
  readonly passage: PassageKind;
  readonly tell: (page: SearchPage) => Account;
};

/** Finds the Patients, which is what the event tells of, and reads on to their events. */
export async function eventsOfPatients(
  deps: GuardDeps,
  visit: Visit,
  sought: ByPatient,
  { question, passage: kind, tell }: EventsAsked,
) {
  const where = [sought.criterion];
  const query = { type: 'Patient', where, count: MOST_PATIENTS, total: 'none', include: [] } as const;
  const recorded = await guarded(deps, visit, kind, { kind: 'search', query }, tell);
  const values = recorded.answer.rows.map(({ id }) => `Patient/${id}`);
  const others = question.query.where.filter((criterion) => criterion !== sought);
  const of = { kind: 'reference', param: sought.param, values } as const;
  const found = { ...question, query: { ...question.query, where: [...others, of] } };
  return { ...recorded, answer: await further(deps, recorded.passage, found) };
}

/**
 * A search of events with the part of the trail in which its dates lie, as the rest is not read.
 * @throws {Fault} invalid - an officer names no date from which on: there may be millions of events
 * @throws {Fault} not-supported - the officer of an establishment asks for kinds of entities: of an event that is read
 *   in part the others would be found, too
 */
export function withinPeriod({ requester }: Pick<Visit, 'requester'>, query: SearchQuery): SearchQuery {
  if (query.type !== 'AuditEvent') return query;
  const span = spanOfEvents(query.where);
  const part = trailOfOfficer(requester);
  if (part !== undefined && span?.from === undefined)
    throw new Fault('invalid', 'Officers ask for events from a date on', { expression: 'date' });
  if (part === 'establishment' && [...query.where, ...(query.order ?? [])].some(isOnKinds))
    throw new Fault('not-supported', 'Officers of establishments find no events by kinds of entities', {
      expression: ENTITY_TYPE,
    });
  return span === undefined ? query : { ...query, span };
}

const ENTITY_TYPE = 'entity-type';

function isOnKinds(asked: Criterion | SortKey): boolean {
  return 'param' in asked && asked.param === ENTITY_TYPE;
}
