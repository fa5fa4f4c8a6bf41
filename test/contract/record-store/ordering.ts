/** Orders that are asked for (`_sort`): of several keys, from both ends, page by page. */
import { expect } from 'chai';
import type { SortKey } from '../../../profiles/search/order.ts';
import type { RowIndex } from '../../../profiles/search/indexer.ts';
import { principal } from '../../../server/access/right.ts';
import { MAX_ORDERED_ROWS } from '../../../server/ports/record-store.ts';
import { aGrant, anId, aPersonKey, aPlan, aPut, aQuery, aRight, NO_ENTRIES } from '../../support/plans.ts';
import { expectFault } from '../../support/faults.ts';
import { idsOf, search, searchBehind, searchPages } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

const key = (by: SortKey['by'], param: string, descending = false): SortKey => ({ by, param, descending });

/** Runs the contract of orders. */
export function orderingContract(suite: Suite): void {
  const visiblePerson = async () => {
    const person = aPersonKey();
    const right = aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) });
    await commitPlan(suite.records, aPlan({ rights: [right] }));
    return { person, grant: aGrant(`Practitioner/${person}`) };
  };

  const entries = (parts: {
    status?: string;
    kind?: string;
    name?: string;
    date?: number;
    about?: string;
  }): RowIndex => ({
    definition: 1,
    tokens: (['status', 'kind'] as const).flatMap((param) =>
      parts[param] === undefined ? [] : [{ param, system: 's', value: parts[param] }],
    ),
    references: parts.about === undefined ? [] : [{ param: 'about', target: parts.about }],
    dates: parts.date === undefined ? [] : [{ param: 'date', lo: parts.date, hi: parts.date + 1 }],
    strings: parts.name === undefined ? [] : [{ param: 'name', value: parts.name }],
  });

  /** Rows by name, which is their id. */
  const world = async (rows: Readonly<Record<string, Parameters<typeof entries>[0]>>) => {
    const { person, grant } = await visiblePerson();
    const mark = anId().slice(0, 8);
    const puts = Object.entries(rows).map(([name, parts], at) =>
      aPut({ person, id: `${mark}-${name}`, index: entries(parts), sort: at }),
    );
    await commitPlan(suite.records, aPlan({ puts }));
    const namesIn = async (order: readonly SortKey[], count = 2): Promise<string> => {
      const pages = await searchPages(suite.records, grant, aQuery('DocumentReference', { order, count }));
      return pages.flatMap((page) => idsOf(page.rows).map((id) => id.slice(mark.length + 1))).join(' ');
    };
    return { person, grant, puts, namesIn };
  };

  describe('orders', () => {
    it('go by tokens, texts, dates, references and ids, in both directions, rows without a value last', async () => {
      const { namesIn } = await world({
        a: { status: 'final', name: 'elan', date: 30, about: 'Patient/2' },
        b: { status: 'amended', name: 'zoe', date: 10, about: 'Patient/1' },
        c: {},
        d: { status: 'b', name: 'elan vital', date: 20, about: 'Group/9' },
      });
      expect(await namesIn([key('token', 'status')])).to.equal('b d a c');
      expect(await namesIn([key('token', 'status', true)])).to.equal('a d b c');
      expect(await namesIn([key('string', 'name')])).to.equal('a d b c');
      expect(await namesIn([key('string', 'name', true)])).to.equal('b d a c');
      expect(await namesIn([key('date', 'date')])).to.equal('b d a c');
      expect(await namesIn([key('date', 'date', true)])).to.equal('a d b c');
      expect(await namesIn([key('reference', 'about')])).to.equal('d b a c');
      expect(await namesIn([key('id', '_id', true)])).to.equal('d c b a');
      expect(await namesIn([key('moment', 'date')])).to.equal('a b c d');
      expect(await namesIn([])).to.equal('d c b a');
    });

    it('go by further keys where the first ones are equal, then latest first', async () => {
      const { namesIn } = await world({
        a: { status: 'x', date: 2 },
        b: { status: 'y', date: 1 },
        c: { status: 'x', date: 1 },
        d: { status: 'x', date: 1 },
      });
      expect(await namesIn([key('token', 'status'), key('date', 'date')], 1)).to.equal('d c a b');
      expect(await namesIn([key('token', 'status', true), key('date', 'date', true)], 1)).to.equal('b a d c');
      expect(await namesIn([key('date', 'date'), key('moment', 'date')], 1)).to.equal('b c d a');
      const tokens = await world({ a: { status: 'x', kind: 'q' }, b: { status: 'x', kind: 'p' }, c: { status: 'w' } });
      expect(await tokens.namesIn([key('token', 'status'), key('token', 'kind')])).to.equal('c b a');
    });

    it('go by the moment at which the store wrote a row', async () => {
      const { grant, puts, namesIn } = await world({ a: {}, b: {}, c: {} });
      for (const put of [puts[1], puts[0]])
        await commitPlan(suite.records, aPlan({ puts: put === undefined ? [] : [put] }));
      const times = await search(suite.records, grant, aQuery('DocumentReference'));
      const latest = times.rows.toSorted((a, b) => b.updated - a.updated || b.sort - a.sort);
      expect(await namesIn([key('date', '_lastUpdated', true)])).to.equal(
        latest.map(({ id }) => id.split('-').at(-1)).join(' '),
      );
    });

    it('keep each standing row on exactly one page while others change, come and go', async () => {
      for (const order of [[key('token', 'status')], [key('string', 'name', true)], [key('moment', 'date')]]) {
        const { person, grant, puts } = await world(
          Object.fromEntries(
            ['a', 'b', 'c', 'd', 'e', 'f'].map((name, at) => [name, { status: `s${at % 3}`, name: `n${at % 3}` }]),
          ),
        );
        const standing = puts.slice(0, 4);
        const changing = puts.slice(4);
        const query = aQuery('DocumentReference', { order, count: 2 });
        const seen: string[] = [];
        let turn = 0;
        for (let page = await search(suite.records, grant, query); ;) {
          seen.push(...idsOf(page.rows));
          turn += 1;
          const index = entries({ status: `s${turn % 3}`, name: `n${turn % 3}` });
          const moved = changing.map((put) => ({ ...put, index, sort: 100 * turn }));
          const others = turn > 3 ? [] : [0, 2].map((sort) => aPut({ person, index, sort }));
          await commitPlan(suite.records, aPlan({ puts: [...moved, ...others] }));
          if (page.next === undefined) break;
          page = await search(suite.records, grant, query, page.next);
        }
        const shown = seen.filter((id) => standing.some((put) => put.id === id));
        expect(shown.toSorted(), JSON.stringify(order)).to.deep.equal(idsOf(standing).toSorted());
      }
    });

    it('pass over rows, count all matches, and hold within conditions', async () => {
      const { grant, puts } = await world({
        a: { status: 'x', name: 'd' },
        b: { status: 'x', name: 'c' },
        c: { status: 'y', name: 'b' },
        d: { status: 'x', name: 'a' },
      });
      const where = [{ kind: 'token', param: 'status', values: [{ code: 'x' }] }] as const;
      const query = aQuery('DocumentReference', { order: [key('string', 'name')], where, count: 1, total: 'bounded' });
      const [a, b, , d] = idsOf(puts);
      const pages = await searchPages(suite.records, grant, query);
      expect(pages.map((page) => [idsOf(page.rows)[0], page.total])).to.deep.equal([
        [d, 3],
        [b, 3],
        [a, 3],
      ]);
      expect(await searchBehind(suite.records, grant, query, 1)).to.deep.equal({ ids: [b], isMore: true });
      expect(await searchBehind(suite.records, grant, query, 2)).to.deep.equal({ ids: [a], isMore: false });
    });

    it('do not tell of hidden rows, by their place or by the next page', async () => {
      const { person, grant, puts } = await world({ a: { name: 'a' }, c: { name: 'c' } });
      const hidden = ['b', 'd', '0'].map((name) => aPut({ person, level: 'R', index: entries({ name }) }));
      await commitPlan(suite.records, aPlan({ puts: hidden }));
      const query = aQuery('DocumentReference', { order: [key('string', 'name')], count: 2, total: 'accurate' });
      const page = await search(suite.records, grant, query);
      expect([idsOf(page.rows), page.next, page.total]).to.deep.equal([idsOf(puts), undefined, 2]);
    });

    it('are refused for too many matches, but those of the lists', async function () {
      this.timeout(120_000);
      const { grant } = await visiblePerson();
      const one = async (at: number) =>
        await commitPlan(
          suite.records,
          aPlan({
            puts: Array.from({ length: 1_000 }, (_, row) =>
              aPut({ type: 'HealthcareService', index: NO_ENTRIES, sort: at * 1_000 + row }),
            ),
          }),
        );
      for (let at = 0; at < MAX_ORDERED_ROWS / 1_000; at += 1) await one(at);
      const page = async (...order: readonly SortKey[]) =>
        await search(suite.records, grant, aQuery('HealthcareService', { order, count: 1 }));
      expect((await page(key('id', '_id'))).rows.length).to.equal(1);
      await commitPlan(suite.records, aPlan({ puts: [aPut({ type: 'HealthcareService', sort: -1 })] }));
      await expectFault(page(key('id', '_id')), 'too-costly');
      expect((await page(key('moment', 'date'))).rows[0]?.sort).to.equal(-1);
      expect((await page()).rows[0]?.sort).to.equal(MAX_ORDERED_ROWS - 1);
    });
  });
}
