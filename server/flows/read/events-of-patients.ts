/**
 * A search of AuditEvents by a number of whose record they tell (ITI-81, patient.identifier). Events join no other rows
 * and keep no number: which Patients bear it now, as far as the requester sees them, is found first.
 */
import { spanOfEvents } from '../../../profiles/audit/event-span.ts';
import { Fault } from '../../../profiles/fault.ts';
import { isLink, type Criterion } from '../../../profiles/search/criterion.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import type { SearchPage } from '../../ports/record-store.ts';
import { isTrailOfficer } from '../../access/grant.ts';
import { further, guarded, type Account, type GuardDeps, type Visit } from '../guard.ts';
import type { PassageKind } from '../../../profiles/audit/shapes.ts';

type ByPatient = Extract<Criterion, { kind: 'chain' }>;

/**
 * The criterion of a search of events that leads through their Patient; undefined where there is none.
 * @throws {Fault} not-supported - an officer asks, who sees no Patients (access.md C7): nothing found would not be true
 */
export function patientSought({ requester }: Visit, { type, where }: SearchQuery): ByPatient | undefined {
  const sought = type === 'AuditEvent' ? where.find(isByPatient) : undefined;
  if (sought !== undefined && isTrailOfficer(requester))
    throw new Fault('not-supported', 'Events of the region are not found through Patients', {
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
 */
export function withinPeriod({ requester }: Pick<Visit, 'requester'>, query: SearchQuery): SearchQuery {
  if (query.type !== 'AuditEvent') return query;
  const span = spanOfEvents(query.where);
  if (isTrailOfficer(requester) && span?.from === undefined)
    throw new Fault('invalid', 'The events of the region are asked for from a date on', { expression: 'date' });
  return span === undefined ? query : { ...query, span };
}
