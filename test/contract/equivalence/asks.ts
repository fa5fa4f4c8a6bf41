/** Random questions to a world: who asks, and what. */
import * as fc from 'fast-check';
import type { BreakGlassSettings } from '../../../profiles/consent/emergency.ts';
import type { Criterion, SearchQuery } from '../../../profiles/search/query.ts';
import type { SortKey } from '../../../profiles/search/order.ts';
import { DATE_PREFIXES, type StringCriterion, type TokenCriterion } from '../../../profiles/search/criterion.ts';
import type { Grant } from '../../../server/access/grant.ts';
import { personKey, type Role } from '../../../server/access/requester.ts';
import { FOREVER } from '../../../server/access/right.ts';
import {
  aGrant,
  aGrantOutsideCare,
  aLinkGrant,
  anEstablishmentGrant,
  aPatientGrant,
  aRepresentativeGrant,
} from '../../support/plans.ts';
import { ALPHABET, PERSONS, referenceOf, SLOTS, TYPES, type Slot } from './world.ts';

/** One question, and rows to read by id beside it. */
export type Ask = { readonly grant: Grant; readonly query: SearchQuery; readonly reads: readonly Slot[] };

/** Types that everybody sees are asked for more often: of others little is shown. */
const OPEN = ['Organization', 'Organization'] as const;
/** Types whose rows are often shown. */
const SOURCES = ['Organization', 'DocumentReference', 'ImagingStudy', 'DiagnosticReport', 'Patient'] as const;

const now = fc.integer({ min: 0, max: 6 });

/** Who reads images, who works in a part of an organization, and who holds an office there and nothing else. */
const ROLES: Role[] = [
  {
    reference: 'PractitionerRole/1',
    organization: 'Organization/1',
    within: ['Organization/1', 'Organization/2'],
    radiologist: true,
    offices: ['region-dpo'],
    profession: { code: '10' },
  },
  {
    reference: 'PractitionerRole/2',
    organization: 'Organization/2',
    within: ['Organization/2'],
    radiologist: false,
    offices: [],
  },
  {
    reference: 'PractitionerRole/3',
    organization: 'Organization/2',
    within: ['Organization/2'],
    radiologist: false,
    offices: ['establishment-desk', 'support'],
  },
];

/** Rows that say who represents a patient. */
const RELATED = SLOTS.filter(({ type }) => type === 'RelatedPerson')
  .map(referenceOf)
  .slice(0, 3);

/** Every Consent may be a share. */
const SHARES: string[] = SLOTS.filter(({ type }) => type === 'Consent').map(referenceOf);

/** What a region may let emergencies do: some of it, all. */
const CONFIDENTIAL: BreakGlassSettings = { reachesConfidential: true };
const EVERY: BreakGlassSettings = { ...CONFIDENTIAL, passesBlocks: true };

/** Who asks; now and then somebody who acts outside of care, too. */
export const grant: fc.Arbitrary<Grant> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom('1', '1', '1', '2'),
        now,
        fc.subarray(ROLES, { minLength: 0 }),
        fc.constantFrom(true, ...Array.from({ length: 9 }, () => false)),
        fc.constantFrom(EVERY, EVERY, EVERY, CONFIDENTIAL, { passesBlocks: true }, {}),
      )
      .map(([id, at, roles, isOutside, breakGlass]) =>
        (isOutside ? aGrantOutsideCare : aGrant)(`Practitioner/${id}`, at, roles, breakGlass),
      ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...PERSONS), now).map(([person, at]) => aPatientGrant(person, at)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.subarray(SHARES, { minLength: 1 }), now).map(([all, at]) => aLinkGrant(all, at)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...RELATED), now, fc.constantFrom(FOREVER, FOREVER, 4), fc.constantFrom(0, 4, FOREVER))
      .map(([related, at, until, ofChildUntil]) =>
        aRepresentativeGrant(related, PERSONS[0] ?? personKey('a'), at, until, ofChildUntil),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('Organization/1', 'Organization/2'), now)
      .map(([organization, at]) => anEstablishmentGrant(organization, at)),
  },
);

const { tokenParams, systems, codes, referenceParams, references, strings } = ALPHABET;
const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });

const tokenValue = fc.oneof(
  fc.record({ code: fc.constantFrom(...codes) }),
  fc.record({ system: fc.constantFrom(...systems), code: fc.constantFrom(...codes) }),
  fc.record({ system: fc.constantFrom(...systems) }),
);

const token: fc.Arbitrary<Criterion> = fc
  .tuple(fc.constantFrom(...tokenParams), fc.array(tokenValue, { minLength: 1, maxLength: 2 }), fc.boolean())
  .map(([param, values, negated]) => ({
    kind: 'token',
    param,
    values,
    ...(negated ? { negated: true as const } : {}),
  }));

const reference: fc.Arbitrary<Criterion> = fc
  .tuple(fc.constantFrom(...referenceParams), some(references))
  .map(([param, values]) => ({ kind: 'reference', param, values }));

const dateValue = fc
  .tuple(fc.integer({ min: -2, max: 7 }), fc.integer({ min: 1, max: 4 }), fc.constantFrom(...DATE_PREFIXES))
  .map(([lo, length, prefix]) => ({ lo, hi: lo + length, prefix }));

const date: fc.Arbitrary<Criterion> = fc
  .array(dateValue, { minLength: 1, maxLength: 2 })
  .map((values) => ({ kind: 'date', param: 'd', values }));

const string: fc.Arbitrary<Criterion> = fc
  .tuple(
    some([...strings, 'e', 'an', 'vital', '%', '𝒜', 'e*', '*l?n*', '100% ?', '[e]*']),
    fc.constantFrom('starts' as const, 'exact' as const, 'contains' as const, 'pattern' as const),
  )
  .map(([values, match]) => ({ kind: 'string', param: 'n', values, match }));

const missing: fc.Arbitrary<Criterion> = fc
  .tuple(fc.constantFrom(...tokenParams, ...referenceParams, 'd', 'n'), fc.boolean())
  .map(([param, missing]) => ({ kind: 'missing', param, missing }));

const id: fc.Arbitrary<Criterion> = some([...new Set(SLOTS.map((slot) => slot.id)), 'unknown']).map((values) => ({
  kind: 'id',
  values,
}));

const simple = fc.oneof(token, reference, date, string, missing, id);

const own = fc.constantFrom<TokenCriterion | StringCriterion>(
  { kind: 'token', param: 'subject:identifier', values: [{ code: 'a' }] },
  { kind: 'string', param: 'subject.n', values: ['el'], match: 'starts' },
);

/** Types that references of the world lead to. */
const target = fc.constantFrom(
  'Patient' as const,
  'Organization' as const,
  'ImagingStudy' as const,
  'DocumentReference' as const,
);

const chainOf = (criterion: fc.Arbitrary<Criterion>): fc.Arbitrary<Criterion> =>
  fc
    .record({
      param: fc.constantFrom(...referenceParams),
      target,
      criterion,
      own: fc.option(own, { freq: 3 }),
    })
    .map(({ own, ...rest }) => ({ kind: 'chain', ...rest, ...(own === null ? {} : { own }) }));

const hasOf = (criterion: fc.Arbitrary<Criterion>): fc.Arbitrary<Criterion> =>
  fc.record({
    kind: fc.constant('has' as const),
    source: fc.constantFrom(...SOURCES),
    param: fc.constantFrom(...referenceParams),
    criterion,
  });

const linkOf = (criterion: fc.Arbitrary<Criterion>) => fc.oneof(chainOf(criterion), hasOf(criterion));
/** Often what every row satisfies: else what leads to it would rarely be found. */
const common = fc.oneof(
  { weight: 2, arbitrary: simple },
  { weight: 1, arbitrary: missing },
  { weight: 2, arbitrary: fc.constant<Criterion>({ kind: 'missing', param: 'nothing', missing: true }) },
);
/** One reference away, two or three. */
const link = fc.oneof(
  { weight: 4, arbitrary: linkOf(common) },
  { weight: 2, arbitrary: linkOf(linkOf(common)) },
  { weight: 1, arbitrary: linkOf(linkOf(linkOf(common))) },
);

const where: fc.Arbitrary<readonly Criterion[]> = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 2, arbitrary: fc.oneof(simple, link).map((criterion) => [criterion]) },
  { weight: 1, arbitrary: fc.tuple(fc.oneof(common, link), fc.oneof(common, link)) },
);

const include = fc
  .array(
    fc.tuple(
      fc.constantFrom(...referenceParams),
      fc.option(fc.constantFrom('Patient' as const, 'ImagingStudy' as const, 'Organization' as const)),
    ),
    { maxLength: 2, minLength: 0, size: 'max' },
  )
  .map((pairs) => pairs.map(([param, target]) => (target === null ? { param } : { param, target })));

const revinclude = fc.array(
  fc.record({ source: fc.constantFrom(...SOURCES), param: fc.constantFrom(...referenceParams) }),
  { minLength: 0, maxLength: 3, size: 'max' },
);

const sortKey: fc.Arbitrary<SortKey> = fc
  .record({
    by: fc.constantFrom('moment', 'id', 'token', 'token', 'reference', 'date', 'string'),
    param: fc.constant(''),
    descending: fc.boolean(),
  })
  .chain((key) => fc.constantFrom(...paramsOf(key.by)).map((param) => ({ ...key, param })));

function paramsOf(by: SortKey['by']): readonly string[] {
  if (by === 'token') return tokenParams;
  if (by === 'reference') return referenceParams;
  return by === 'date' ? ['d'] : by === 'string' ? ['n'] : [by];
}

const order = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.constant([{ by: 'moment' as const, param: 'moment', descending: false }]) },
  { weight: 3, arbitrary: fc.array(sortKey, { minLength: 1, maxLength: 3, size: 'max' }) },
);

const query: fc.Arbitrary<SearchQuery> = fc
  .record({
    type: fc.constantFrom(...TYPES, 'DocumentReference', 'ImagingStudy', 'DocumentReference', ...OPEN),
    target,
    where,
    order,
    count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(100)),
    total: fc.constantFrom('bounded' as const, 'accurate' as const, 'none' as const),
    include,
    revinclude,
    isCount: fc.integer({ min: 0, max: 9 }).map((value) => value === 0),
  })
  // What refers to a row is asked of types that rows of the world refer to.
  .map(({ target, type, ...rest }) => ({
    ...rest,
    type: rest.where.some(({ kind }) => kind === 'has') ? target : type,
  }))
  .map(({ isCount, ...rest }) => (isCount ? { ...rest, total: 'accurate', summary: 'count' } : rest));

/** A question. */
export const ask: fc.Arbitrary<Ask> = fc.record({
  grant,
  query,
  reads: fc.array(fc.constantFrom(...SLOTS), { maxLength: 3 }),
});
