/** Criteria on too many other rows: looked at from the rows of a list, they find what a filter of names finds. */
import { expect } from 'chai';
import type { Criterion, LinkCriterion } from '../../../../../profiles/search/criterion.ts';
import type { Grant } from '../../../../../server/access/grant.ts';
import { principal } from '../../../../../server/access/right.ts';
import type { Put } from '../../../../../server/ports/commit-plan.ts';
import { collectionsOf } from '../../../../../server/stores/mongodb/collections.ts';
import type { MongoStores } from '../../../../../server/stores/mongodb/open.ts';
import { linking } from '../../../../../server/stores/mongodb/read/linked.ts';
import { readerOf } from '../../../../../server/stores/mongodb/read/reader.ts';
import type { Listing } from '../../../../../server/stores/mongodb/read/listing.ts';
import { aGrant, anId, aPersonKey, aPlan, aPut, aQuery, aRight, NO_ENTRIES } from '../../../../support/plans.ts';
import { searchIds } from '../../../../support/reads.ts';
import { commitPlan } from '../../../../support/warrants.ts';
import { usePeer } from '../peer.ts';

const status = (code: string): Criterion => ({ kind: 'token', param: 'status', values: [{ code }] });
const reported = (criterion: Criterion): LinkCriterion => ({
  kind: 'has',
  source: 'DiagnosticReport',
  param: 'about',
  criterion,
});
const about = (criterion: Criterion): LinkCriterion => ({
  kind: 'chain',
  param: 'about',
  target: 'ImagingStudy',
  criterion,
});

function entries(code: string, ...targets: readonly string[]): Pick<Put, 'index'> {
  const references = targets.map((target) => ({ param: 'about', target }));
  return { index: { ...NO_ENTRIES, tokens: [{ param: 'status', system: '', value: code }], references } };
}

describe('Criteria on other rows, looked at from the rows of a list (MongoDB)', function () {
  this.timeout(60_000);
  const peer = usePeer();
  let [stores, uri, grant]: [MongoStores?, string?, Grant?] = [];
  let rows: readonly Put[] = [];

  before(async () => {
    uri = peer.freshUri();
    stores = await peer.open(uri);
    const person = aPersonKey();
    const right = aRight({ person, principal: principal.practitioner('Practitioner/linked') });
    grant = aGrant('Practitioner/linked');
    const study = (code: string, parts: Partial<Put> = {}): Put =>
      aPut({ type: 'ImagingStudy', person, sort: rows.length, ...entries(code), ...parts });
    const [seen, both, hidden, plain] = [
      study('a'),
      study('b'),
      study('a', { level: 'V' }),
      study('b', { id: anId() }),
    ] as const;
    const order = aPut({ type: 'ServiceRequest', person, ...entries('b') });
    const to = ({ type, id }: Put): string => `${type}/${id}`;
    const report = (code: string, targets: readonly string[], parts: Partial<Put> = {}): Put =>
      aPut({ type: 'DiagnosticReport', person, ...entries(code, ...targets), ...parts });
    const reports = [
      report('final', [to(seen), to(both)]),
      report('draft', [to(both)]),
      report('final', [to(hidden)]),
      report('final', [to(plain)], { level: 'V' }),
      report('own', ['ImagingStudy/nowhere', `Patient/${seen.id}`]),
      report('draft', [to(hidden)]),
      report('order', [to(order)]),
    ];
    rows = [seen, both, hidden, plain, order, ...reports];
    await commitPlan(stores.records, aPlan({ rights: [right], puts: rows }));
  });

  const QUESTIONS: Readonly<Record<string, readonly [Put['type'], LinkCriterion]>> = {
    'what refers to a row': ['ImagingStudy', reported(status('final'))],
    'other things that refer to a row': ['ImagingStudy', reported(status('draft'))],
    'nothing that refers to a row': ['ImagingStudy', reported(status('none'))],
    'what a row refers to': ['DiagnosticReport', about(status('a'))],
    'other things that a row refers to': ['DiagnosticReport', about(status('b'))],
    'what a row refers to, or its own entries': [
      'DiagnosticReport',
      { ...about(status('a')), own: { kind: 'token', param: 'status', values: [{ code: 'own' }] } } as LinkCriterion,
    ],
    'what has no such code, of one type, and a row refers to': [
      'DiagnosticReport',
      about({ kind: 'token', param: 'status', values: [{ code: 'none' }], negated: true }),
    ],
    'what refers to what a row refers to': ['DiagnosticReport', about(reported(status('draft')))],
    'what is referred to by what refers to a row': ['ImagingStudy', reported(about(status('a')))],
  };

  for (const [what, [type, link]] of Object.entries(QUESTIONS))
    it(`find ${what}, as far as it is seen`, async () => {
      if (stores === undefined || uri === undefined || grant === undefined) throw new Error('Nothing is open');
      const client = await peer.client(uri);
      const collections = collectionsOf(client, client.db());
      const expected = await searchIds(stores.records, grant, aQuery(type, { where: [link] }));
      const listed = rows
        .filter((row) => row.type === type)
        .map(({ id, sort }) => ({ key: `${type}/${id}`, id, sort, shown: { right: undefined } }));
      const visible = new Set(await searchIds(stores.records, grant, aQuery(type)));
      async function* list(): Listing {
        yield* listed.filter(({ id }) => visible.has(id));
      }
      for (const first of [1, 2, 1_000]) {
        const session = client.startSession();
        const found: string[] = [];
        const reader = await readerOf({ collections, session, grant, now: grant.now });
        for await (const { id } of linking(reader, list(), link, { first, isCount: false })) found.push(id);
        await session.endSession();
        expect(found.sort(), `${first} at first`).to.deep.equal([...expected].sort());
      }
    });

  it('find something in each direction', async () => {
    if (stores === undefined || grant === undefined) throw new Error('Nothing is open');
    for (const [what, [type, link]] of Object.entries(QUESTIONS)) {
      const found = await searchIds(stores.records, grant, aQuery(type, { where: [link] }));
      expect(found.length > 0, what).to.equal(!what.startsWith('nothing'));
    }
  });

  it('find what a search finds by them, when more than a thousand satisfy them', async () => {
    if (stores === undefined || grant === undefined) throw new Error('Nothing is open');
    const [seen] = rows;
    const person = aPersonKey();
    const reports = Array.from({ length: 1_001 }, (_, at) =>
      aPut({ type: 'DiagnosticReport', person, ...entries('many', `ImagingStudy/${seen?.id}`), sort: at }),
    );
    const right = aRight({ person, principal: principal.practitioner('Practitioner/linked') });
    await commitPlan(stores.records, aPlan({ rights: [right], puts: reports }));
    const where = [reported(status('many'))];
    expect(await searchIds(stores.records, grant, aQuery('ImagingStudy', { where }))).to.deep.equal([seen?.id]);
    const without = [reported(status('many')), reported(status('none'))];
    expect(await searchIds(stores.records, grant, aQuery('ImagingStudy', { where: without }))).to.deep.equal([]);
  });
});
