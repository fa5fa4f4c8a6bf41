/**
 * A search of AuditEvents by a number of whose record they tell (ITI-81, patient.identifier). Events join no other rows
 * and keep no number: which Patients bear it now, as far as the requester sees them, is found first.
 */
import { Fault } from '../../../profiles/fault.ts';
import { isLink, type Criterion } from '../../../profiles/search/criterion.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import type { SearchPage } from '../../ports/record-store.ts';
import { isTrailOfficer } from '../../access/grant.ts';
import { further, guarded, type Account, type GuardDeps, type Visit } from '../guard.ts';
import type { PassageKind } from '../../../profiles/audit/shapes.ts';

type ByPatient = Extract<Criterion, { kind: 'chain' }>;

/** The criterion of a search of events that leads through their Patient; undefined where there is none. */
export function patientSought({ type, where }: SearchQuery): ByPatient | undefined {
  return type === 'AuditEvent' ? where.find(isByPatient) : undefined;
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

/** Prefixes by which a date has an earliest moment. */
const LATER: readonly string[] = ['eq', 'ge', 'gt', 'sa'];

/**
 * Refuses a search of the whole region without beginning: there may be millions of events.
 * @throws {Fault} invalid - an officer names no date from which on
 */
export function requirePeriod({ requester }: Visit, { type, where }: SearchQuery): void {
  if (type !== 'AuditEvent' || !isTrailOfficer(requester)) return;
  const isBounded = where.some(
    (criterion) =>
      criterion.kind === 'date' &&
      criterion.param === 'date' &&
      criterion.values.every(({ prefix }) => LATER.includes(prefix)),
  );
  if (!isBounded)
    throw new Fault('invalid', 'The events of the region are asked for from a date on', { expression: 'date' });
}
