/** Random worlds of persons, rows and rights over a small alphabet, so that they meet often. */
import type { Consent, Period } from '@medplum/fhirtypes';
import * as fc from 'fast-check';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { PAST_BLOCK } from '../../../profiles/consent/emergency.ts';
import type { NamedTeam } from '../../../profiles/consent/giving/named-team.ts';
import { CIRCLES, type Circle } from '../../../profiles/consent/record-circle.ts';
import { LEVELS, MASKS, NORMAL } from '../../../profiles/confidentiality.ts';
import { TIME_BOUND, type DateRange } from '../../../profiles/search/date-range.ts';
import type { RowIndex } from '../../../profiles/search/indexer.ts';
import { DATES_OF_ROWS } from '../../../profiles/types/row-rules.ts';
import { fhirType, type StoredType } from '../../../profiles/types/visibility.ts';
import type { PatientState } from '../../../server/access/decide.ts';
import type { Origin } from '../../../server/access/rights-of.ts';
import { personKey, type PersonKey } from '../../../server/access/requester.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { anIdentity } from '../../support/plans.ts';
import type { Wish } from './identities.ts';

/** The identities of every world, each by the person that it is by itself. */
export const PERSONS: readonly PersonKey[] = ['person-a', 'person-b', 'person-c'].map(personKey);

/** The Patient that an identity is by itself: one of the places. */
export function patientOf(home: PersonKey): string {
  return `Patient/${IDENTITIES[PERSONS.indexOf(home)] ?? ''}`;
}

const IDENTITIES = ['a', '-c', '10'];

/** The rows that say who the identities are. */
export const IDENTITY_ROWS: readonly Put[] = PERSONS.map((person, at) =>
  anIdentity(person, { id: IDENTITIES[at] ?? '', subject: patientOf(person) }),
);

/** Types of all classes but AuditEvent, whose rows are not written by plans. */
export const TYPES = [
  'ImagingStudy',
  'DiagnosticReport',
  'DocumentReference',
  'Patient',
  'Binary',
  'Consent',
  'Communication',
  'CareTeam',
  'Encounter',
  'Task',
  'RelatedPerson',
  'Provenance',
  'Organization',
  'Practitioner',
] as const satisfies readonly StoredType[];

/** Ids whose order differs between collations. */
const IDS = ['a', 'B', 'b-1', 'A.2', '-c', '10', '9', 'Zz'] as const;

/** A place for a row: its type and id; each holds one row or none. */
export type Slot = { readonly type: StoredType; readonly id: string };

/** All places. */
export const SLOTS: readonly Slot[] = TYPES.flatMap((type) => IDS.map((id) => ({ type, id })));

/** The reference of a place. */
export function referenceOf({ type, id }: Slot): string {
  return `${type}/${id}`;
}

// Parts belong to the first two documents, which never change hands.
const PARENTS: readonly Slot[] = IDS.slice(0, 2).map((id) => ({ type: 'DocumentReference', id }));

const REFERENCES = SLOTS.filter((slot) =>
  ['Patient', 'Organization', 'ImagingStudy', 'DocumentReference'].includes(slot.type),
)
  .filter((_, at) => at % 4 === 0)
  .map(referenceOf);

/** Studies and reports that Consents are to alone, and others are part of: one of each person. */
const EXAMS = [...SLOTS.slice(0, PERSONS.length), ...SLOTS.slice(9, 9 + PERSONS.length)].map(referenceOf);

/** Values of the alphabet; strings are in the form that is compared. */
export const ALPHABET = {
  tokenParams: ['t', 'u'],
  systems: ['', 's'],
  codes: ['a', 'b', 'É'],
  referenceParams: ['subject', 'related', 'imaging-study'],
  references: [...REFERENCES, ...EXAMS, 'Patient/10', 'Patient/unknown'],
  strings: ['elan', 'elan vital', 'zoe', 'el', '100% 𝒜'],
} as const;

const { tokenParams, systems, codes, referenceParams, references, strings } = ALPHABET;

const few = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(values, { maxLength: 2 });
const range = fc.record({ lo: fc.integer({ min: -2, max: 6 }), length: fc.integer({ min: 1, max: 4 }) });

const tokenEntry = fc.record({
  param: fc.constantFrom(...tokenParams, 'subject:identifier'),
  system: fc.constantFrom(...systems),
  value: fc.constantFrom(...codes),
});

/** Entries without repeats, as the indexer gives them. */
const entries: fc.Arbitrary<RowIndex> = fc.record({
  definition: fc.constant(1),
  tokens: few(tokenEntry).map(distinct),
  // What joins rows is not rare, so that conditions on other rows are met.
  references: fc
    .array(fc.record({ param: fc.constantFrom(...referenceParams), target: fc.constantFrom(...references) }), {
      maxLength: 4,
      size: 'max',
    })
    .map(distinct),
  dates: few(range.map(({ lo, length }) => ({ param: 'd', lo, hi: lo + length }))).map(distinct),
  strings: few(fc.record({ param: fc.constantFrom('n', 'subject.n'), value: fc.constantFrom(...strings) })).map(
    distinct,
  ),
});

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

const TEAM = 'CareTeam/1';
const DESK = { office: 'establishment-desk', organization: 'Organization/2' } as const;

/** Who is in a team that Consents name. Times as those of Consents. */
const team: fc.Arbitrary<NamedTeam> = fc
  .array(
    fc.record({
      reference: fc.constantFrom('Practitioner/1', 'Practitioner/2', 'PractitionerRole/1', 'Organization/2'),
      from: fc.constantFrom(0, 3),
      to: fc.constantFrom(2, TIME_BOUND),
    }),
    { maxLength: 2 },
  )
  .map((members) => ({ team: TEAM, members }));

/** Whom a row comes from; absent where it stays as it stands. */
const origin: fc.Arbitrary<Origin | undefined> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(undefined) },
  {
    weight: 4,
    // A search of little finds little to join, so one of them sees much.
    arbitrary: fc.record({
      sources: fc.oneof(
        fc.constant(['Practitioner/1']),
        fc.constantFrom(['Organization/1'], ['Patient/a']),
        fc.subarray(['Organization/1', 'Organization/2', 'Practitioner/1', 'Practitioner/2', 'Patient/a'], {
          maxLength: 2,
        }),
      ),
      services: fc.subarray(['Organization/1', 'Organization/2'], { maxLength: 1 }),
      ownServices: fc.subarray(['Organization/1', 'Organization/2'], { maxLength: 1 }),
      // Of a row of the own class alone.
      offices: fc.oneof(
        fc.constant([]),
        fc.subarray([{ office: 'region-dpo' as const, organization: 'Organization/1' }, DESK]),
      ),
      // Where the days of the epoch begin hours after it.
      zone: fc.constantFrom('America/New_York', 'Etc/UTC'),
      // Of a stay alone.
      stay: fc.constant({ organization: 'Organization/2', graceDays: 0 }),
      // Of a RelatedPerson alone.
      represents: fc.constant(true as const),
      // Of a Consent that names it alone.
      team,
    }),
  },
);

/** A Period between moments, both of them of it. */
function moments(period: { readonly start?: number; readonly end?: number }): Period {
  return Object.fromEntries(Object.entries(period).map(([name, at]) => [name, new Date(at).toISOString()]));
}

/** What a Consent says. Times are small, as those of grants, and so few that several Consents give one right. */
const permit: fc.Arbitrary<Partial<Consent>> = fc
  .record({
    status: fc.constantFrom('active' as const, 'active' as const, 'active' as const, 'inactive' as const),
    type: fc.oneof(
      { weight: 3, arbitrary: fc.constant('permit' as const) },
      { weight: 1, arbitrary: fc.constant('deny' as const) },
    ),
    actors: fc.subarray(['Practitioner/1', 'Practitioner/2', 'PractitionerRole/1', 'Organization/2', TEAM], {
      minLength: 1,
      maxLength: 3,
    }),
    start: fc.constantFrom(null, null, 0, 3, '1970-01-01'),
    end: fc.constantFrom(null, null, 2, 5),
    code: fc.constantFrom('TREAT', 'BTG'),
    // The last is of an emergency alone, and of one person, so that it is not rare.
    temporary: fc.constantFrom('presence', 'support', 'share', 'share', PAST_BLOCK, PAST_BLOCK, null, null),
    securityLabel: fc.constantFrom('N', 'R', 'R'),
    dataPeriod: fc.constantFrom(null, null, { start: 0 }, { start: 1, end: 4 }, { end: 3 }),
  })
  .map(({ status, type, actors, start, end, code, temporary, securityLabel, dataPeriod }) => ({
    status,
    ...(temporary === null
      ? {}
      : { category: [{ coding: [{ system: CODE_SYSTEM.temporaryAccess, code: temporary }] }] }),
    provision: {
      type,
      period: {
        ...(start === null ? {} : { start: typeof start === 'string' ? start : new Date(start).toISOString() }),
        ...(end === null ? {} : { end: new Date(end).toISOString() }),
      },
      actor: (temporary === PAST_BLOCK ? ['Practitioner/1'] : actors).map((reference) => ({
        role: {},
        reference: { reference },
      })),
      purpose: [{ code }],
      securityLabel: [{ system: CODE_SYSTEM.confidentiality, code: securityLabel }],
      ...(dataPeriod === null ? {} : { dataPeriod: moments(dataPeriod) }),
    },
  }));

/** A row of a place. */
export const put: fc.Arbitrary<Put> = fc
  .record({
    at: fc.integer({ min: 0, max: SLOTS.length - 1 }),
    index: entries,
    sort: fc.integer({ min: -1, max: 2 }),
    level: fc.constantFrom(...LEVELS, 'N' as const),
    masks: fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.subarray([...MASKS]) },
      // Nothing else gives a right to whoever reads for its one author.
      { weight: 1, arbitrary: fc.constant(['unshared' as const]) },
    ),
    released: fc.boolean(),
    moves: fc.integer({ min: 0, max: 9 }),
    origin,
    // A change of the team alone.
    changed: fc.option(team),
    permit,
    circle: fc.constantFrom(...CIRCLES),
    // A study or a report of each person, and a visit.
    shared: fc.constantFrom(0, 9),
    further: fc.constantFrom(null, 66),
    isToExam: fc.boolean(),
    // Of what time it is: that of the first parameter that says it, of the second, of both.
    dated: few(
      fc.record({ at: fc.nat({ max: 1 }), lo: fc.constantFrom(0, 1, 2, 3), hi: fc.constantFrom(4, TIME_BOUND) }),
    ),
  })
  .map(({ at, moves, origin, changed, permit, circle, shared, further, isToExam, dated, ...facts }) => {
    const slot = SLOTS[at] ?? { type: 'Patient', id: 'a' };
    const keeps = moves > 0 || PARENTS.some((parent) => referenceOf(parent) === referenceOf(slot));
    const owner = keeps ? at : at + 1;
    const item = SLOTS[shared + (owner % PERSONS.length)] ?? slot;
    const visit = further === null ? [] : [SLOTS[further + (owner % PERSONS.length)] ?? slot];
    const said = givingContent(slot.type, permit, { circle, item, isToExam, visit });
    const index = ofTime(slot, dated, isToExam ? partOfExam(slot, item, facts.index) : facts.index);
    const base = { ...slot, ...facts, index, resource: { resourceType: slot.type, id: slot.id, ...said } };
    if (slot.type === 'Organization' || slot.type === 'Practitioner') return base;
    if (slot.type === 'Binary' || slot.type === 'Provenance') return { ...base, ...partOf(at) };
    const person = personAt(owner);
    const filed = origin && (isHers(slot, moves) ? { ...origin, sources: ['Patient/a', ...origin.sources] } : origin);
    const from = { ...(filed === undefined ? {} : { origin: filed }), ...(changed === null ? {} : { team: changed }) };
    return { ...base, person, subject: patientOf(person), ...from };
  });

/** What a report or a document is found by that is part of an exam. */
function partOfExam({ type }: Slot, exam: Slot, index: RowIndex): RowIndex {
  const { partOf } = fhirType(type);
  if (partOf === undefined) return index;
  return { ...index, references: distinct([...index.references, { param: partOf.param, target: referenceOf(exam) }]) };
}

/** The entries of a row with those that say of what time it is. */
function ofTime({ type }: Slot, dated: readonly (DateRange & { readonly at: number })[], index: RowIndex): RowIndex {
  const params = DATES_OF_ROWS.flatMap((one) => (one.type === type ? [one.param] : []));
  const said = dated.flatMap(({ at, lo, hi }) => {
    const param = params[at] ?? params[0];
    return param === undefined ? [] : [{ param, lo, hi }];
  });
  return { ...index, dates: distinct([...index.dates, ...said]) };
}

/** Whether the patient, too, filed a row: half of the circles, which open nothing otherwise. */
function isHers({ type }: Slot, moves: number): boolean {
  return type === 'CareTeam' && moves % 2 === 0;
}

/** What a row says that gives rights: a Consent by itself, of some items; a circle, a stay and a
 * representative in the same words. */
function givingContent(
  type: StoredType,
  permit: Partial<Consent>,
  {
    circle,
    item,
    isToExam,
    visit,
  }: { readonly circle: Circle; readonly item: Slot; readonly isToExam: boolean; readonly visit: readonly Slot[] },
): object {
  const { status, provision: { period, actor = [], ...provision } = {} } = permit;
  switch (type) {
    case 'Consent': {
      const isShare = permit.category?.some(({ coding = [] }) => coding.some(({ code }) => code === 'share')) === true;
      const { dataPeriod: _, ...whole } = provision;
      const isToItem = isShare || isToExam;
      const items = isShare ? [item] : [item, ...visit];
      const data = items.map((one) => ({ meaning: 'instance', reference: { reference: referenceOf(one) } }));
      return { ...permit, provision: { ...(isToItem ? { ...whole, data } : provision), period, actor } };
    }
    case 'CareTeam': {
      const category = [{ coding: [{ system: CODE_SYSTEM.recordCircle, code: circle }] }];
      return { status, category, period, participant: actor.map(({ reference }) => ({ member: reference })) };
    }
    case 'Encounter': {
      const stay = { class: { system: CODE_SYSTEM.actCode, code: 'IMP' }, period };
      return { status: status === 'active' ? 'finished' : 'cancelled', ...stay };
    }
    case 'RelatedPerson': {
      const relationship = [{ coding: [{ system: CODE_SYSTEM.roleCode, code: 'GUARD' }] }];
      return { active: status === 'active', relationship, period };
    }
    default:
      return {};
  }
}

/** A part has no label or embargo of its own here: it is visible as its item. */
function partOf(at: number): Pick<Put, 'parent' | 'person' | 'subject' | 'level' | 'masks' | 'released'> {
  const parent = PARENTS[at % PARENTS.length] ?? { type: 'DocumentReference', id: 'a' };
  const person = personOf(parent);
  return { parent: referenceOf(parent), person, subject: patientOf(person), released: true, ...NORMAL };
}

function personAt(at: number): PersonKey {
  return PERSONS[at % PERSONS.length] ?? personKey('person-a');
}

/** The person whose row a place holds unless it changed hands. */
function personOf(slot: Slot): PersonKey {
  return personAt(SLOTS.findIndex((other) => referenceOf(other) === referenceOf(slot)));
}

const change: fc.Arbitrary<Partial<PatientState>> = fc.constantFrom(
  { opposed: true },
  { withdrawn: true },
  { erasurePending: true },
  { accountOff: true },
  { opposed: false, withdrawn: false, erasurePending: false },
  { withdrawn: false },
  { erasurePending: false },
);

/** One change of a world; the model turns it into a plan. */
export type Change = {
  readonly puts: readonly Put[];
  readonly deletes: readonly Slot[];
  readonly states: readonly { readonly person: PersonKey; readonly change: Partial<PatientState> }[];
  /** Identities that join others, or stand alone again. */
  readonly wishes: readonly Wish[];
};

/** Every other one is to stand alone again. */
export const wish: fc.Arbitrary<Wish> = fc
  .record({ home: fc.constantFrom(...PERSONS), to: fc.constantFrom(...PERSONS), leaves: fc.boolean() })
  .map(({ home, to, leaves }) => ({ home, to: leaves ? home : to }));

/** Changes of state, each of another person. */
export const states = fc.uniqueArray(fc.record({ person: fc.constantFrom(...PERSONS), change }), {
  maxLength: 2,
  selector: ({ person }) => person,
});

const changeOf = (size: number, wishes = 0): fc.Arbitrary<Change> =>
  fc.record({
    puts: fc.uniqueArray(put, { minLength: Math.floor(size / 2), maxLength: size, selector: referenceOf }),
    deletes: fc.array(fc.constantFrom(...SLOTS), { maxLength: 2 }),
    states,
    wishes: fc.array(wish, { maxLength: wishes, size: 'max' }),
  });

/** A world as a list of changes: much at first, then a little. */
export const beginnings: fc.Arbitrary<readonly Change[]> = fc.tuple(changeOf(60), changeOf(40));

/** A later change. */
export const later: fc.Arbitrary<readonly Change[]> = fc.tuple(changeOf(6, 2));
