/** Order, pages and totals. */
import { expect } from 'chai';
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import { principal } from '../../../server/access/right.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import {
  aGrant,
  anEstablishmentGrant,
  aPersonKey,
  aPlan,
  aPut,
  aQuery,
  aRight,
  aStudyPut,
  NO_ENTRIES,
  SYSTEM,
} from '../../support/plans.ts';
import { ask, idsOf, search, searchBehind, searchPages } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of result lists. */
export function pagingContract(suite: Suite): void {
  /** A person whom one grant may see. */
  const visiblePerson = async () => {
    const person = aPersonKey();
    const right = aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) });
    await commitPlan(suite.records, aPlan({ rights: [right] }));
    return { person, grant: aGrant(`Practitioner/${person}`) };
  };

  const byOrder = (a: Put, b: Put): number => b.sort - a.sort || (a.id < b.id ? -1 : 1);

  describe('order and pages', () => {
    it('rows come by sort key, latest first, then by id; each is on exactly one page', async () => {
      const { person, grant } = await visiblePerson();
      const puts = Array.from({ length: 23 }, (_, at) => aPut({ person, sort: at % 4 }));
      await commitPlan(suite.records, aPlan({ puts }));
      const pages = await searchPages(suite.records, grant, aQuery('DocumentReference', { count: 5 }));
      expect(pages.map((page) => page.rows.length)).to.deep.equal([5, 5, 5, 5, 3]);
      expect(pages.flatMap((page) => idsOf(page.rows))).to.deep.equal(idsOf([...puts].sort(byOrder)));
      expect(pages.slice(0, -1).every((page) => page.next !== undefined)).to.equal(true);
    });

    it('a page behind some rows is what follows them, within conditions too', async () => {
      const { person, grant } = await visiblePerson();
      const index = { ...NO_ENTRIES, tokens: [{ param: 'type', system: 's', value: 'even' }] };
      const puts = Array.from({ length: 12 }, (_, at) =>
        aPut({ person, sort: at % 4, ...(at % 2 === 0 ? { index } : {}) }),
      ).sort(byOrder);
      await commitPlan(suite.records, aPlan({ puts }));
      const all = aQuery('DocumentReference', { count: 5 });
      const even = { ...all, count: 2, where: [{ kind: 'token', param: 'type', values: [{ code: 'even' }] }] } as const;
      const evens = idsOf(puts.filter((put) => put.index === index));
      expect(await searchBehind(suite.records, grant, all, 4)).to.deep.equal({
        ids: idsOf(puts.slice(4, 9)),
        isMore: true,
      });
      expect(await searchBehind(suite.records, grant, all, 10)).to.deep.equal({
        ids: idsOf(puts.slice(10)),
        isMore: false,
      });
      expect(await searchBehind(suite.records, grant, all, 12)).to.deep.equal({ ids: [], isMore: false });
      expect(await searchBehind(suite.records, grant, even, 3)).to.deep.equal({ ids: evens.slice(3, 5), isMore: true });
      const counted = await ask(suite.records, grant, {
        kind: 'search',
        query: { ...even, total: 'accurate' },
        skip: 5,
      });
      expect([idsOf(counted.rows), counted.total]).to.deep.equal([evens.slice(5), 6]);
    });

    it('rows may come without their last member, and lose nothing else by it, whatever their texts say', async () => {
      const { person, grant } = await visiblePerson();
      const studies: readonly object[] = [
        { description: 'l’épaule', series: [{ uid: '1.2', description: 'é,"series":[' }, { uid: '1.3' }] },
        { description: 'names ,"series":[ in a text', series: [{ uid: '1.4' }] },
        { description: 'has none: ,"series":[' },
      ];
      const puts = studies.map((study, at) => {
        const put = aStudyPut(`1.2.${at}`, { person, sort: at });
        return { ...put, resource: { ...put.resource, ...study } as Put['resource'] };
      });
      await commitPlan(suite.records, aPlan({ puts }));
      const jsonOf = async (query: Partial<SearchQuery>): Promise<ImagingStudy[]> =>
        (await search(suite.records, grant, aQuery('ImagingStudy', query))).rows.map(
          ({ json }) => JSON.parse(json) as ImagingStudy,
        );
      const withoutSeries = (study: ImagingStudy): object => ({ ...study, series: undefined });
      const whole = await jsonOf({});
      expect(whole.map(({ series }) => series?.length)).to.deep.equal([undefined, 1, 2]);
      expect((await jsonOf({ withoutTail: 'series' })).map(withoutSeries)).to.deep.equal(whole.map(withoutSeries));
      expect(await jsonOf({ withoutTail: 'note' })).to.deep.equal(whole);
    });

    it('a span shows the rows whose sort key lies in it, first inclusive, last exclusive', async () => {
      const { person, grant } = await visiblePerson();
      const index = { ...NO_ENTRIES, tokens: [{ param: 'type', system: 's', value: 'any' }] };
      const puts = Array.from({ length: 10 }, (_, at) => aPut({ person, sort: at, index })).sort(byOrder);
      await commitPlan(suite.records, aPlan({ puts }));
      const [where, none] = [[{ kind: 'token', param: 'type', values: [{ code: 'any' }] }], []] as const;
      const sorts = (from: number | undefined, before: number | undefined): string[] =>
        puts
          .filter(({ sort }) => (from === undefined || sort >= from) && (before === undefined || sort < before))
          .map(({ id }) => id);
      for (const [from, before] of [
        [3, 7],
        [undefined, 2],
        [8, undefined],
        [5, 5],
      ] as const) {
        for (const conditions of [where, none]) {
          const query = aQuery('DocumentReference', {
            count: 2,
            span: { from, before },
            where: conditions,
            total: 'accurate',
          });
          const pages = await searchPages(suite.records, grant, query);
          expect(
            pages.flatMap((page) => idsOf(page.rows)),
            `${from} to ${before}`,
          ).to.deep.equal(sorts(from, before));
          expect(pages[0]?.total).to.equal(sorts(from, before).length);
        }
      }
    });

    it('a page that holds the last row has no next one', async () => {
      const { person, grant } = await visiblePerson();
      await commitPlan(suite.records, aPlan({ puts: [aPut({ person }), aPut({ person })] }));
      const page = await search(suite.records, grant, aQuery('DocumentReference', { count: 2 }));
      expect(page.rows.length).to.equal(2);
      expect(page.next).to.equal(undefined);
    });

    it('three pages hold every standing row once while others come before, between and after', async () => {
      const { person, grant } = await visiblePerson();
      const puts = Array.from({ length: 6 }, (_, at) => aPut({ person, sort: 10 * at }));
      await commitPlan(suite.records, aPlan({ puts }));
      const seen: string[] = [];
      let after;
      for (let turn = 0; turn < 3; turn += 1) {
        const page = await search(suite.records, grant, aQuery('DocumentReference', { count: 2 }), after);
        seen.push(...idsOf(page.rows));
        after = page.next;
        const sorts = [1_000, (after?.sort ?? 0) + 5, after?.sort ?? 0];
        await commitPlan(suite.records, aPlan({ puts: sorts.map((sort) => aPut({ person, sort })) }));
      }
      const standing = new Set(idsOf(puts));
      const shown = seen.filter((id) => standing.has(id));
      expect(new Set(seen).size).to.equal(seen.length);
      for (let next = after; next !== undefined;) {
        const page = await search(suite.records, grant, aQuery('DocumentReference', { count: 2 }), next);
        shown.push(...idsOf(page.rows).filter((id) => standing.has(id)));
        next = page.next;
      }
      expect(shown).to.deep.equal(idsOf([...puts].sort(byOrder)));
    });

    it('a row that several rights of one requester show comes once', async () => {
      const { person } = await visiblePerson();
      const organization = `Organization/${person}`;
      const holders = [
        principal.practitioner(`Practitioner/${person}`),
        principal.breakGlass(`Practitioner/${person}`),
        principal.radiologists(organization),
      ];
      const puts = Array.from({ length: 7 }, (_, at) => aPut({ person, sort: at }));
      const rights = [...holders, ...holders].map((holder) => aRight({ person, principal: holder }));
      await commitPlan(suite.records, aPlan({ puts, rights }));
      const grant = aGrant(`Practitioner/${person}`, SYSTEM.now, [
        { reference: 'PractitionerRole/1', organization, within: [], radiologist: true, offices: [] },
      ]);
      const pages = await searchPages(
        suite.records,
        grant,
        aQuery('DocumentReference', { count: 3, total: 'accurate' }),
      );
      expect(pages.flatMap((page) => idsOf(page.rows))).to.deep.equal(idsOf([...puts].sort(byOrder)));
      expect(pages.map((page) => page.total)).to.deep.equal([7, 7, 7]);
    });

    it('sort keys before 1970 and of one instant keep the order', async () => {
      const { person, grant } = await visiblePerson();
      const puts = [-5e12, -1, 0, 0, 1, 4e12].map((sort) => aPut({ person, sort }));
      await commitPlan(suite.records, aPlan({ puts }));
      const pages = await searchPages(suite.records, grant, aQuery('DocumentReference', { count: 1 }));
      expect(pages.flatMap((page) => idsOf(page.rows))).to.deep.equal(idsOf([...puts].sort(byOrder)));
    });

    it('pages of a search with conditions hold what matches and nothing else', async () => {
      const { person, grant } = await visiblePerson();
      const index = (value: string) => ({ ...NO_ENTRIES, tokens: [{ param: 'status', system: '', value }] });
      const puts = Array.from({ length: 20 }, (_, at) =>
        aPut({ person, sort: at % 3, index: index(at % 2 === 0 ? 'a' : 'b') }),
      );
      await commitPlan(suite.records, aPlan({ puts }));
      const where = [{ kind: 'token', param: 'status', values: [{ code: 'a' }] }] as const;
      const pages = await searchPages(
        suite.records,
        grant,
        aQuery('DocumentReference', { count: 3, where, total: 'bounded' }),
      );
      const expected = puts.filter((_, at) => at % 2 === 0).sort(byOrder);
      expect(pages.flatMap((page) => idsOf(page.rows))).to.deep.equal(idsOf(expected));
      expect(pages.every((page) => page.total === 10)).to.equal(true);
    });
  });

  describe('totals', () => {
    it('count what the requester may see, not what is stored', async () => {
      const { person, grant } = await visiblePerson();
      const puts = [aPut({ person }), aPut({ person, level: 'R' }), aPut({ person: aPersonKey() })];
      await commitPlan(suite.records, aPlan({ puts }));
      for (const total of ['bounded', 'accurate'] as const) {
        expect((await search(suite.records, grant, aQuery('DocumentReference', { total }))).total).to.equal(1);
      }
      expect((await search(suite.records, grant, aQuery('DocumentReference', { total: 'none' }))).total).to.equal(
        undefined,
      );
      const stranger = anEstablishmentGrant(`Organization/${person}`);
      expect(
        (await search(suite.records, stranger, aQuery('DocumentReference', { total: 'accurate' }))).total,
      ).to.equal(0);
    });

    it('are bounded at 1,000 unless an accurate one is asked for', async () => {
      const { person, grant } = await visiblePerson();
      await commitPlan(
        suite.records,
        aPlan({ puts: Array.from({ length: 1_000 }, (_, at) => aPut({ person, sort: at })) }),
      );
      const total = async (total: 'bounded' | 'accurate') =>
        (await search(suite.records, grant, aQuery('DocumentReference', { total, count: 1 }))).total;
      expect(await total('bounded')).to.equal(1_000);
      await commitPlan(suite.records, aPlan({ puts: [aPut({ person })] }));
      expect(await total('bounded')).to.equal(undefined);
      expect(await total('accurate')).to.equal(1_001);
    });

    it('of a summary come without rows', async () => {
      const { person, grant } = await visiblePerson();
      await commitPlan(suite.records, aPlan({ puts: Array.from({ length: 3 }, () => aPut({ person })) }));
      const query = aQuery('DocumentReference', {
        summary: 'count',
        total: 'accurate',
        count: 1,
        include: [{ param: 'subject' }],
      });
      const page = await search(suite.records, grant, query);
      expect(page).to.deep.equal({ rows: [], included: [], total: 3, next: undefined });
    });
  });
}
