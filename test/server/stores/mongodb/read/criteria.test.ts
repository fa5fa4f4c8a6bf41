import { expect } from 'chai';
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  record,
  sample,
  tuple,
} from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { DATE_PREFIXES, type Criterion } from '../../../../../profiles/search/criterion.ts';
import type { RowIndex } from '../../../../../profiles/search/indexer.ts';
import { ALONE, matchesCriterion } from '../../../../../profiles/search/match.ts';
import type { MongoStores } from '../../../../../server/stores/mongodb/open.ts';
import { aPlan, aPut, aQuery, SYSTEM } from '../../../../support/plans.ts';
import { idsOf } from '../../../../support/reads.ts';
import { usePeer } from '../peer.ts';
import { commitPlan } from '../../../../support/warrants.ts';

const params = constantFrom('a', 'b', 'a:identifier');
const systems = constantFrom('', 'urn:s|', 'urn:t');
const codes = constantFrom('', 'x', 'y|', 'é"');
const texts = constantFrom(
  '',
  'a',
  'du',
  'dupont',
  'dupond',
  'dupont ete',
  'été',
  'pon',
  '\u{10ffff}',
  'du\u{10ffff}',
  '$a.b',
  '𝒜bc',
);
const targets = constantFrom('Organization/1', 'Organization/11', 'Practitioner/1');
const times = integer({ min: 0, max: 6 });
const ranges = tuple(times, times).map(([a, b]) => ({ lo: Math.min(a, b), hi: Math.max(a, b) + 1 }));

const entries: Arbitrary<RowIndex> = record({
  definition: constant(1),
  tokens: array(record({ param: params, system: systems, value: codes }), { maxLength: 3 }),
  references: array(record({ param: params, target: targets }), { maxLength: 2 }),
  dates: array(
    tuple(params, ranges).map(([param, range]) => ({ param, ...range })),
    { maxLength: 2 },
  ),
  strings: array(record({ param: params, value: texts }), { maxLength: 2 }),
});

const some = <T>(values: Arbitrary<T>): Arbitrary<T[]> => array(values, { minLength: 1, maxLength: 2 });

const criteria: Arbitrary<Criterion> = oneof(
  record({ kind: constant('id' as const), values: some(integer({ min: 0, max: 40 }).map((at) => `row-${at}`)) }),
  record(
    {
      kind: constant('token' as const),
      param: params,
      values: some(record({ system: systems, code: codes }, { requiredKeys: [] })),
      negated: constant(true as const),
    },
    { requiredKeys: ['kind', 'param', 'values'] },
  ),
  record({ kind: constant('reference' as const), param: params, values: some(targets) }),
  record({
    kind: constant('date' as const),
    param: params,
    values: some(tuple(ranges, constantFrom(...DATE_PREFIXES)).map(([range, prefix]) => ({ ...range, prefix }))),
  }),
  record({
    kind: constant('string' as const),
    param: params,
    values: some(texts),
    match: constantFrom('starts' as const, 'exact' as const, 'contains' as const, 'pattern' as const),
  }),
  record({ kind: constant('missing' as const), param: params, missing: boolean() }),
);

describe('criteria on MongoDB', function () {
  this.timeout(60_000);
  const peer = usePeer();
  const rows = sample(entries, { numRuns: 40, seed: 7 }).map((index, at) => ({ id: `row-${at}`, index }));
  let stores: MongoStores;

  before(async () => {
    stores = await peer.open(peer.freshUri());
    await commitPlan(
      stores.records,
      aPlan({ puts: rows.map(({ id, index }) => aPut({ type: 'Organization', id, index })) }),
    );
  });

  it('find what matchesCriterion says of each row', async () => {
    await assert(
      asyncProperty(array(criteria, { minLength: 1, maxLength: 2 }), async (where) => {
        const page = await stores.records.peek(SYSTEM, { kind: 'search', query: aQuery('Organization', { where }) });
        const expected = rows.filter(({ id, index }) =>
          where.every((criterion) => matchesCriterion({ ...index, type: 'Organization', id }, criterion, ALONE)),
        );
        expect([...idsOf(page.rows)].sort()).to.deep.equal(expected.map(({ id }) => id).sort());
      }),
      { numRuns: 300 },
    );
  });
});
