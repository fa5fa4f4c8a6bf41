/** Random questions to what random plans made. */
import * as fc from 'fast-check';
import { DATE_PREFIXES, type Criterion } from '../../../profiles/search/criterion.ts';
import { systemGrant, type AnyGrant } from '../../../server/access/grant.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import type { Question } from '../../../server/ports/record-store.ts';
import { aGrant, aQuery, NOW } from '../../support/plans.ts';
import { ask } from '../equivalence/asks.ts';
import { REFUSED_QUESTIONS } from '../refusals/refused-plans.ts';
import { SOP_UIDS, STUDY_UIDS } from './plans.ts';

/** A question, and who asks. Times of commits in it (`since`, `_lastUpdated`) count them. */
export type RandomQuestion = { readonly grant: AnyGrant; readonly question: Question };

/** A value that is left out most often. */
function sometimes<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
}

const page = fc.record({ limit: fc.integer({ min: 1, max: 4 }), offset: fc.constantFrom(0, 0, 0, 1) });
const uids = fc.record({
  studyInstanceUID: fc.constantFrom(...STUDY_UIDS, ...STUDY_UIDS, '1.9'),
  seriesInstanceUID: sometimes(fc.constantFrom('1.2.3', '1.2.30')),
  sopInstanceUIDs: sometimes(fc.subarray([...SOP_UIDS])),
});

const ofEvents: readonly Criterion[] = [
  { kind: 'reference', param: 'entity', values: ['DocumentReference/a', 'DocumentReference/asked'] },
  { kind: 'token', param: 'action', values: [{ code: 'R' }] },
  { kind: 'token', param: 'outcome', values: [{ code: '4' }] },
  { kind: 'date', param: 'date', values: [{ lo: NOW, hi: NOW + 1, prefix: 'le' }] },
  { kind: 'missing', param: 'agent', missing: false },
  { kind: 'id', values: ['event-3-1', 'event-7-1'] },
  { kind: 'chain', param: 'entity', target: 'Patient', criterion: { kind: 'id', values: ['a'] } },
];

const events: fc.Arbitrary<Question> = fc.oneof(
  fc
    .record({
      count: fc.integer({ min: 1, max: 3 }),
      total: fc.constantFrom('accurate' as const, 'none' as const),
      where: fc.subarray([...ofEvents], { maxLength: 2 }),
    })
    .map((query) => ({ kind: 'search', query: aQuery('AuditEvent', query) }) as const),
  fc
    .record({ at: fc.nat(50), version: sometimes(fc.constantFrom(1, 2)) })
    .map(({ at, version }) =>
      given({ kind: 'resource' as const, type: 'AuditEvent' as const, id: `event-${at}-1`, version }),
    ) as fc.Arbitrary<Question>,
);

/** When rows were committed: both ends count commits. */
const updated: fc.Arbitrary<Criterion> = fc
  .record({ lo: fc.nat(20), hi: fc.nat(20), prefix: fc.constantFrom(...DATE_PREFIXES) })
  .map((range) => ({ kind: 'date', param: '_lastUpdated', values: [range] }));

/** Members that are not given are left out. */
function given<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}

const ofStudy = fc
  .tuple(fc.constantFrom('instances' as const, 'metadata' as const), uids, page, fc.boolean())
  .map(([kind, which, rest, omits]) =>
    given({ kind, ...which, ...rest, omitMetadata: omits && kind === 'instances' ? true : undefined }),
  ) as fc.Arbitrary<Question>;

const parts = fc
  .tuple(fc.constantFrom('series' as const, 'instances' as const), uids, page)
  .map(([level, { studyInstanceUID, sopInstanceUIDs }, rest]) =>
    given({
      kind: 'parts',
      level,
      studyInstanceUID: studyInstanceUID === '1.9' ? undefined : studyInstanceUID,
      sopInstanceUIDs,
      studies: { where: [], include: [{ param: 'subject' }] },
      ofSeries: [],
      ofInstance: [],
      ...rest,
    }),
  ) as fc.Arbitrary<Question>;

/** Whom most rights show something. */
function radiologist(now: number): AnyGrant {
  return aGrant('Practitioner/1', now, [
    { reference: 'PractitionerRole/1', organization: 'Organization/1', within: [], radiologist: true, offices: [] },
  ]);
}

/** A question about the rows of a pool, the studies and the events. One in ten is none. */
export function randomQuestion(pool: readonly Put[]): fc.Arbitrary<RandomQuestion> {
  const slot = fc.constantFrom(...pool).map(({ type, id }) => ({ type, id }));
  const resource = fc
    .record({
      slot,
      version: sometimes(fc.integer({ min: 0, max: 5 })),
      orDeleted: fc.constantFrom(true as const, undefined),
    })
    .map(({ slot, ...rest }) => given({ kind: 'resource', ...slot, ...rest })) as fc.Arbitrary<Question>;
  const history = fc
    .record({
      slot,
      isOfType: fc.boolean(),
      since: sometimes(fc.nat(20)),
      limit: fc.integer({ min: 1, max: 4 }),
    })
    .map(({ slot: { type, id }, isOfType, ...rest }) =>
      given({ kind: 'history', type, id: isOfType ? undefined : id, ...rest }),
    ) as fc.Arbitrary<Question>;
  const search = fc
    .record({
      query: ask.map(({ query }) => query),
      slot,
      isOfSlot: fc.constantFrom(true, true, true, false),
      isOpen: fc.constantFrom(true, true, false),
      skip: sometimes(fc.nat(3)),
      updated: sometimes(updated),
    })
    .map(({ query, slot: { type }, isOfSlot, isOpen, skip, updated }) => {
      const where = [...(isOpen ? [] : query.where), ...(updated === undefined ? [] : [updated])];
      return given({ kind: 'search', query: { ...query, where, ...(isOfSlot ? { type } : {}) }, skip });
    }) as fc.Arbitrary<Question>;
  const refused = fc.constantFrom(...REFUSED_QUESTIONS).map(({ parts }) => parts());
  const system = fc.nat(6).map((now) => systemGrant('erase-study', 'whole', now));
  return fc.record({
    grant: fc.oneof(
      { weight: 2, arbitrary: fc.nat(6).map(radiologist) },
      { weight: 2, arbitrary: ask.map(({ grant }) => grant) },
      { weight: 1, arbitrary: system },
    ),
    question: fc.oneof(
      { weight: 6, arbitrary: search },
      { weight: 4, arbitrary: resource },
      { weight: 4, arbitrary: history },
      { weight: 3, arbitrary: ofStudy },
      { weight: 2, arbitrary: parts },
      { weight: 2, arbitrary: events },
      { weight: 2, arbitrary: refused },
    ),
  });
}
