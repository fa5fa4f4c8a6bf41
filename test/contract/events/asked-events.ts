/** Events of every kind, and what they are asked by. */
import type { AuditEvent } from '@medplum/fhirtypes';
import { array, boolean, constant, constantFrom, integer, oneof, option, record, sample, tuple } from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { buildAuditEvent } from '../../../profiles/audit/audit-event.ts';
import { PASSAGE, type PassageKind } from '../../../profiles/audit/shapes.ts';
import { entriesOfEvent } from '../../../profiles/audit/told-by-event.ts';
import { indexAuditEvent } from '../../../profiles/search/audit-event-index.ts';
import { DATE_PREFIXES, type Criterion } from '../../../profiles/search/criterion.ts';
import type { IndexEntries } from '../../../profiles/search/indexer.ts';
import { ALONE, matchesCriterion } from '../../../profiles/search/match.ts';
import { anId, NOW } from '../../support/plans.ts';

/** So many. */
export const EVENTS = 60;
const patients = constantFrom('Patient/1', 'Patient/11');
const users = oneof(patients, constantFrom('Practitioner/1', 'Practitioner/1"', 'Organization/1'));
/** An exam that {@link FILER} filed. */
export const OWN = 'ImagingStudy/1';
/** One of another establishment, which events name beside it. */
export const OTHERS = 'ImagingStudy/2';
/** An establishment. */
export const FILER = 'Organization/filer';
const things = constantFrom(OWN, 'Consent/1', 'Binary/1');

const passages = record({
  // The keys of the table, which Object.keys widens.
  kind: constantFrom(...(Object.keys(PASSAGE) as PassageKind[])),
  outcome: constantFrom('0' as const, '4' as const, '8' as const),
  patient: option(patients, { nil: undefined }),
  consent: option(constant('Consent/1'), { nil: undefined }),
  user: option(users, { nil: undefined }),
  thing: option(things, { nil: undefined }),
  beside: option(constant(OTHERS), { nil: undefined }),
  purpose: constantFrom('TREAT', 'BTG'),
  at: integer({ min: 0, max: 5 }),
});

type Passage = typeof passages extends Arbitrary<infer T> ? T : never;

function eventOf(
  { kind, outcome, patient, consent, user, purpose, thing, beside, at }: Passage,
  number: number,
): AuditEvent & { id: string } {
  return buildAuditEvent({
    id: anId(),
    kind,
    outcome,
    recorded: new Date(NOW + at).toISOString(),
    requestId: `request-${number}`,
    server: `http://door-${number}`,
    client: { id: 'viewer', ...(at === 0 ? {} : { address: `192.0.2.${at}` }) },
    ...(patient === undefined ? {} : { patient }),
    ...(consent === undefined ? {} : { consent }),
    ...(user === undefined
      ? {}
      : { user: { reference: user, display: 'Zoé "\\" Lambert', purpose, tokenId: anId(), ...rolesOf(user) } }),
    entities: [thing, beside].flatMap((one) =>
      one === undefined ? [] : [{ what: { reference: one }, ...wordsOf(one) }],
    ),
  });
}

/** What an event says of an exam, in the words of its row. */
function wordsOf(thing: string) {
  if (!thing.startsWith('ImagingStudy/')) return {};
  return { description: 'IRM du genou', detail: { item: thing, started: '2026-03-02', modality: 'MR' } };
}

/** What a professional is. */
function rolesOf(user: string) {
  const profession = { system: 'urn:professions', code: '10', display: 'Médecin' };
  return user.startsWith('Practitioner/') ? { roles: [{ organization: 'Organization/1', profession }] } : {};
}

/** The events. */
export const EVENTS_ASKED = sample(passages, { numRuns: EVENTS, seed: 5 }).map(eventOf);

/** Parameters that no index keeps. */
const READ = ['agent-name', 'address', 'site', 'source', 'entity-role'] as const;

type Token = IndexEntries['tokens'][number];

const OTHER_TOKENS: readonly Token[] = [
  { param: 'type', system: 'urn:other', value: '110112' },
  { param: 'action', system: '', value: 'X' },
];

const tokenCriteria = tuple(
  constantFrom(...EVENTS_ASKED.flatMap((event) => indexAuditEvent(event).tokens), ...OTHER_TOKENS),
  constantFrom('both', 'code', 'system'),
  boolean(),
).map(([{ param, system, value }, asked, negated]): Criterion => ({
  kind: 'token',
  param,
  values: [{ ...(asked === 'code' ? {} : { system }), ...(asked === 'system' ? {} : { code: value }) }],
  ...(negated ? { negated: true } : {}),
}));

/** What they are asked by. */
export const criteria: Arbitrary<Criterion> = oneof(
  tokenCriteria,
  record({
    kind: constant('reference' as const),
    param: constantFrom('agent', 'entity'),
    values: array(oneof(users, things, constant(OTHERS)), { minLength: 1, maxLength: 2 }),
    negated: boolean(),
  }),
  record({
    kind: constant('reference' as const),
    param: constant('patient'),
    values: array(oneof(patients, constantFrom(OWN, OTHERS)), { minLength: 1, maxLength: 2 }),
    negated: boolean(),
  }),
  record({
    kind: constant('date' as const),
    param: constant('date'),
    values: array(
      tuple(integer({ min: 0, max: 6 }), integer({ min: 1, max: 3 }), constantFrom(...DATE_PREFIXES)).map(
        ([lo, width, prefix]) => ({ lo: NOW + lo, hi: NOW + lo + width, prefix }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  }),
  record({
    kind: constant('missing' as const),
    param: constantFrom(...'patient agent entity date subtype type outcome agent-role purpose'.split(' '), ...READ),
    missing: boolean(),
  }),
  record({
    kind: constant('reference' as const),
    param: constant('entity'),
    values: array(oneof(things, patients), { maxLength: 2 }),
    own: integer({ min: 0, max: EVENTS }).map((number) => ({
      kind: 'token' as const,
      param: 'entity:identifier',
      values: [{ code: `request-${number}` }],
    })),
  }),
  record({
    kind: constant('string' as const),
    param: constantFrom('agent-name', 'address'),
    values: array(constantFrom('zo', 'zoe', 'lambert', '192.0.2.1', '0.2.', '"'), { minLength: 1, maxLength: 2 }),
    match: constantFrom('starts', 'contains'),
  }),
);

/** Whether an event satisfies a criterion by what its index keeps, or by what is read in it. */
export function isFound(event: AuditEvent & { id: string }, criterion: Criterion): boolean {
  const isSaid = criterion.kind === 'reference' && criterion.own !== undefined;
  const isRead = isSaid || ('param' in criterion && READ.some((param) => criterion.param.split(':')[0] === param));
  const entries = isRead ? entriesOfEvent(event) : indexAuditEvent(event);
  return matchesCriterion({ ...entries, type: 'AuditEvent', id: event.id }, criterion, ALONE);
}
