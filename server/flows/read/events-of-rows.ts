/**
 * A search of AuditEvents by rows that they name (ITI-81: patient.identifier, agent.identifier, entity.identifier).
 * Events join no other rows: which rows bear what is asked for now, as far as the requester sees them, is found first.
 */
import { spanOfEvents } from '../../../profiles/audit/event-span.ts';
import { Fault } from '../../../profiles/fault.ts';
import { isLink, type Criterion } from '../../../profiles/search/criterion.ts';
import type { SortKey } from '../../../profiles/search/order.ts';
import { findSearchParameter } from '../../../profiles/search/parameters.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../../profiles/types/visibility.ts';
import type { SearchPage } from '../../ports/record-store.ts';
import { trailOfOfficer } from '../../access/grant.ts';
import { allows } from '../../access/scope.ts';
import { further, guarded, readOn, type Account, type GuardDeps, type Recorded, type Visit } from '../guard.ts';
import type { PassageKind } from '../../../profiles/audit/shapes.ts';

type OnRows = Extract<Criterion, { kind: 'chain' }>;

/**
 * The criteria of a search of events that lead through rows.
 * @throws {Fault} not-supported - an officer asks through what officers do not see (access.md C7): nothing found would
 *   not be true
 * @throws {Fault} invalid - they lead through other rows than Patients by more than an identifier
 */
export function rowsSought({ requester }: Visit, { type, where }: SearchQuery): readonly OnRows[] {
  if (type !== 'AuditEvent') return [];
  const sought = where.filter((criterion) => criterion.kind === 'chain');
  for (const one of sought) {
    const { target, criterion } = one;
    if (trailOfOfficer(requester) !== undefined && fhirType(target).class !== 'directory')
      throw new Fault('not-supported', 'Officers find events through the directory alone', { expression: nameOf(one) });
    if (isLink(criterion) || (target !== 'Patient' && !isOnIdentifier(criterion)))
      throw new Fault('invalid', 'Events are found through what they name by identifier alone', {
        expression: nameOf(one),
      });
  }
  return sought;
}

function nameOf({ param, criterion }: OnRows): string {
  return `${param}.${'param' in criterion ? criterion.param : '_id'}`;
}

function isOnIdentifier(criterion: Criterion): boolean {
  return criterion.kind === 'token' && criterion.param === 'identifier' && criterion.negated !== true;
}

/** Most rows of a type that bear what is asked for; a person may have several Patients. */
const MOST_ROWS = 100;

/** What is searched, behind which place, and what its event says of it. */
export type EventsAsked = {
  readonly question: { readonly kind: 'search'; readonly query: SearchQuery };
  readonly passage: PassageKind;
  readonly tell: (page: SearchPage) => Account;
};

/**
 * Finds the rows, which is what its events tell of, and reads on to the events that name them; or that tell of the
 * identifier themselves, where they name none.
 * @throws {Fault} too-costly - more rows bear it than are looked for
 */
export async function eventsOfRows(
  deps: GuardDeps,
  visit: Visit,
  sought: readonly OnRows[],
  { question, passage: kind, tell }: EventsAsked,
): Promise<Pick<Recorded<SearchPage>, 'answer' | 'passage'>> {
  let recorded: Recorded<SearchPage> | undefined;
  const pageOf = async (type: StoredType, criterion: Criterion): Promise<SearchPage> => {
    const query = { type, where: [criterion], count: MOST_ROWS, total: 'none', include: [] } as const;
    const rows = { kind: 'search', query } as const;
    if (recorded !== undefined) return await readOn(deps, { visit, kind, recorded }, rows, tell);
    recorded = await guarded(deps, visit, kind, rows, tell);
    return recorded.answer;
  };
  const found: Criterion[] = [];
  for (const one of sought) {
    const values: string[] = [];
    for (const type of typesSought(visit, one)) {
      const { rows, next } = await pageOf(type, one.criterion);
      if (next !== undefined)
        throw new Fault('too-costly', `More than ${MOST_ROWS} are found by it`, { expression: nameOf(one) });
      values.push(...rows.map(({ id }) => `${type}/${id}`));
    }
    found.push({ kind: 'reference', param: one.param, values, ...ownOf(one) });
  }
  const others = question.query.where.filter((criterion) => criterion.kind !== 'chain');
  const events = { ...question, query: { ...question.query, where: [...others, ...found] } };
  if (recorded === undefined) return await guarded(deps, visit, kind, events, tell);
  return { answer: await further(deps, recorded.passage, events), passage: recorded.passage };
}

/** What patients are told of: of any type, what is of a record and what the scopes open. */
function typesSought({ requester }: Visit, { target, isOfAny }: OnRows): readonly StoredType[] {
  if (isOfAny !== true) return [target];
  return STORED_TYPES.filter(
    (type) => isOfRecord(type) && findSearchParameter(type, 'identifier') && allows(requester.scopes, type, 's'),
  );
}

function isOfRecord(type: StoredType): boolean {
  const { class: visibility, interactions } = fhirType(type);
  const isHers = visibility === 'item' || visibility === 'own' || type === 'Patient';
  return isHers && interactions.includes('search-type');
}

/** What an event tells of its Patients is their reference. */
function ownOf({ param, own }: OnRows): Pick<Extract<Criterion, { kind: 'reference' }>, 'own'> {
  return own?.kind === 'token' && param !== 'patient' && own.param === `${param}:identifier` ? { own } : {};
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
