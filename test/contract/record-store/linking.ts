/** `_has` and `_revinclude`: what refers to a row, as far as it may be seen. Row D04 of smart-security.md. */
import { expect } from 'chai';
import type { Criterion } from '../../../profiles/search/query.ts';
import { principal } from '../../../server/access/right.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { MAX_INCLUDED_ROWS } from '../../../server/ports/record-store.ts';
import { aGrant, aPersonKey, aPlan, aPut, aQuery, aRight, NO_ENTRIES } from '../../support/plans.ts';
import { idsOf, search, searchIds } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

const status = (code: string): Criterion => ({ kind: 'token', param: 'status', values: [{ code }] });
const has = (criterion: Criterion, source: Put['type'] = 'DiagnosticReport', param = 'about'): Criterion => ({
  kind: 'has',
  source,
  param,
  criterion,
});

/** Entries of a row that refers to others. */
function about(code: string, ...targets: readonly Pick<Put, 'type' | 'id'>[]): Pick<Put, 'index'> {
  return {
    index: {
      ...NO_ENTRIES,
      tokens: [{ param: 'status', system: '', value: code }],
      references: targets.map(({ type, id }) => ({ param: 'about', target: `${type}/${id}` })),
    },
  };
}

/** Runs the contract of what refers to rows. */
export function linkingContract(suite: Suite): void {
  const visiblePerson = async () => {
    const person = aPersonKey();
    const right = aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) });
    await commitPlan(suite.records, aPlan({ rights: [right] }));
    return { person, grant: aGrant(`Practitioner/${person}`) };
  };
  const commit = async (puts: readonly Put[]): Promise<void> => {
    for (let at = 0; at < puts.length; at += 1_000)
      await commitPlan(suite.records, aPlan({ puts: puts.slice(at, at + 1_000) }));
  };

  describe('criteria on what refers to a row', () => {
    it('find rows by those that refer to them, by one parameter, of one type', async () => {
      const { person, grant } = await visiblePerson();
      const [a, b, c, d] = [4, 3, 2, 1].map((sort) => aPut({ type: 'ImagingStudy', person, sort }));
      if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('no rows');
      const reports = [
        aPut({ type: 'DiagnosticReport', person, ...about('final', a, b) }),
        aPut({ type: 'DiagnosticReport', person, ...about('draft', b, c) }),
        aPut({ type: 'DocumentReference', person, ...about('final', d) }),
      ];
      await commit([a, b, c, d, ...reports]);
      const find = async (...where: readonly Criterion[]) =>
        await searchIds(suite.records, grant, aQuery('ImagingStudy', { where }));
      expect(await find(has(status('final')))).to.deep.equal(idsOf([a, b]));
      expect(await find(has(status('draft')))).to.deep.equal(idsOf([b, c]));
      expect(await find(has(status('final')), has(status('draft')))).to.deep.equal(idsOf([b]));
      expect(await find(has(status('final'), 'DiagnosticReport', 'other'))).to.deep.equal([]);
      expect(await find(has(status('none')))).to.deep.equal([]);
      expect(await find(has({ kind: 'missing', param: 'status', missing: false }))).to.deep.equal(idsOf([a, b, c]));
      expect(await searchIds(suite.records, grant, aQuery('DocumentReference', { where: [has(status('final'))] })))
        .to //
        .deep.equal([]);
    });

    it('are satisfied by no row that the requester may not see, nor by one that was deleted', async () => {
      const { person, grant } = await visiblePerson();
      const study = aPut({ type: 'ImagingStudy', person });
      const hidden = aPut({ type: 'DiagnosticReport', person, level: 'R', ...about('hidden', study) });
      const others = aPut({ type: 'DiagnosticReport', person: aPersonKey(), ...about('others', study) });
      const deleted = aPut({ type: 'DiagnosticReport', person, ...about('deleted', study) });
      await commit([study, hidden, others, deleted]);
      await commitPlan(suite.records, aPlan({ deletes: [deleted] }));
      for (const code of ['hidden', 'others', 'deleted']) {
        const query = aQuery('ImagingStudy', { where: [has(status(code))], total: 'accurate' });
        const page = await search(suite.records, grant, query);
        expect([page.rows, page.total], code).to.deep.equal([[], 0]);
      }
      const refers = has({ kind: 'missing', param: 'status', missing: false });
      expect(await searchIds(suite.records, grant, aQuery('ImagingStudy', { where: [refers] }))).to.deep.equal([]);
    });

    it('lead on, in both directions', async () => {
      const { person, grant } = await visiblePerson();
      const [a, b] = [2, 1].map((sort) => aPut({ type: 'ImagingStudy', person, sort }));
      if (a === undefined || b === undefined) throw new Error('no rows');
      const report = aPut({ type: 'DiagnosticReport', person, ...about('final', a) });
      const document = aPut({ person, ...about('current', report) });
      const hidden = aPut({ type: 'DiagnosticReport', person, level: 'R', ...about('final', b) });
      const ofHidden = aPut({ person, ...about('current', hidden) });
      await commit([a, b, report, document, hidden, ofHidden]);
      const find = async (type: Put['type'], criterion: Criterion) =>
        await searchIds(suite.records, grant, aQuery(type, { where: [criterion] }));
      expect(await find('ImagingStudy', has(has(status('current'), 'DocumentReference')))).to.deep.equal([a.id]);
      const back: Criterion = {
        kind: 'chain',
        param: 'about',
        target: 'ImagingStudy',
        criterion: has(status('final')),
      };
      expect(await find('DiagnosticReport', back)).to.deep.equal([report.id]);
      expect(
        await find('DocumentReference', { kind: 'chain', param: 'about', target: 'DiagnosticReport', criterion: back }),
      ).to.deep.equal([document.id]);
    });

    it('that more than a thousand rows satisfy are answered, too, hidden ones left out', async () => {
      const { person, grant } = await visiblePerson();
      const [a, b, c, d] = [4, 3, 2, 1].map((sort) => aPut({ type: 'ImagingStudy', person, sort }));
      if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('no rows');
      const many = Array.from({ length: 1_001 }, () =>
        aPut({ type: 'DiagnosticReport', person, ...about('final', a) }),
      );
      const last = aPut({ type: 'DiagnosticReport', person, sort: 0, ...about('final', b) });
      const hidden = aPut({ type: 'DiagnosticReport', person, level: 'R', ...about('final', c) });
      await commit([a, b, c, d, last, ...many, hidden]);
      const all = aQuery('ImagingStudy', { where: [has(status('final'))], total: 'accurate' });
      const page = await search(suite.records, grant, all);
      expect([idsOf(page.rows), page.total]).to.deep.equal([idsOf([a, b]), 2]);
      const only: Criterion = { kind: 'id', values: [b.id, c.id, d.id] };
      expect(await searchIds(suite.records, grant, { ...all, where: [only, has(status('final'))] })).to.deep.equal([
        b.id,
      ]);
    }).timeout(120_000);

    it('that more than a thousand rows satisfy lead on, too', async () => {
      const { person, grant } = await visiblePerson();
      const [a, b, c] = [3, 2, 1].map((sort) => aPut({ type: 'ImagingStudy', person, sort }));
      if (a === undefined || b === undefined || c === undefined) throw new Error('no rows');
      const [ofA, ofB, ofC] = [a, b, c].map((study) =>
        aPut({ type: 'DiagnosticReport', person, ...about('final', study) }),
      );
      if (ofA === undefined || ofB === undefined || ofC === undefined) throw new Error('no rows');
      const many = Array.from({ length: 1_001 }, () => aPut({ person, ...about('current', ofA) }));
      const last = aPut({ person, sort: 0, ...about('current', ofB) });
      const hidden = aPut({ person, level: 'R', ...about('current', ofC) });
      await commit([a, b, c, ofA, ofB, ofC, last, ...many, hidden]);
      const nested = has(has(status('current'), 'DocumentReference'));
      expect(await searchIds(suite.records, grant, aQuery('ImagingStudy', { where: [nested] }))).to.deep.equal(
        idsOf([a, b]),
      );
      const chained: Criterion = { kind: 'chain', param: 'about', target: 'ImagingStudy', criterion: nested };
      expect(await searchIds(suite.records, grant, aQuery('DiagnosticReport', { where: [chained] }))).to.have.members(
        idsOf([ofA, ofB]),
      );
    }).timeout(120_000);

    it('that lead to more than a thousand rows are answered, too', async () => {
      const { person, grant } = await visiblePerson();
      const studies = Array.from({ length: 1_010 }, (_, sort) => aPut({ type: 'ImagingStudy', person, sort }));
      const [one, other] = [studies.slice(0, 600), studies.slice(550, 1_009)];
      const lists = [one, other].map((some) => aPut({ type: 'List', person, ...about('current', ...some) }));
      await commit([...studies, ...lists]);
      const query = aQuery('ImagingStudy', { where: [has(status('current'), 'List')] });
      const page = await search(suite.records, grant, { ...query, count: 3 });
      expect(idsOf(page.rows)).to.deep.equal(idsOf(studies.slice(1_006, 1_009)).toReversed());
      const counted = await search(suite.records, grant, { ...query, summary: 'count', total: 'accurate' });
      expect(counted.total).to.equal(1_009);
    }).timeout(120_000);
  });

  describe('_revinclude', () => {
    const reports = [{ source: 'DiagnosticReport', param: 'about' }] as const;

    it('brings what refers to the rows of a page, each once, after what they refer to', async () => {
      const { person, grant } = await visiblePerson();
      const patient = aPut({ type: 'Patient', person });
      const [a, b] = [2, 1].map((sort) => aPut({ type: 'ImagingStudy', person, sort, ...about('x', patient) }));
      if (a === undefined || b === undefined) throw new Error('no rows');
      const [ofBoth, ofB] = [
        aPut({ type: 'DiagnosticReport', person, sort: 1, ...about('final', a, b) }),
        aPut({ type: 'DiagnosticReport', person, sort: 2, ...about('final', b) }),
      ];
      const document = aPut({ person, ...about('current', a) });
      await commit([patient, a, b, ofBoth, ofB, document]);
      const page = async (parts: Parameters<typeof aQuery>[1], after?: Parameters<typeof search>[3]) =>
        await search(suite.records, grant, aQuery('ImagingStudy', parts), after);
      const whole = await page({ include: [{ param: 'about' }], revinclude: reports });
      expect(idsOf(whole.included)).to.deep.equal(idsOf([patient, ofB, ofBoth]));
      expect(whole.isCut).to.equal(undefined);
      const first = await page({ count: 1, revinclude: reports });
      expect([idsOf(first.rows), idsOf(first.included)]).to.deep.equal([[a.id], [ofBoth.id]]);
      const second = await page({ count: 1, revinclude: reports }, first.next);
      expect([idsOf(second.rows), idsOf(second.included)]).to.deep.equal([[b.id], idsOf([ofB, ofBoth])]);
      const both = await page({ revinclude: [...reports, { source: 'DocumentReference', param: 'about' }] });
      expect(idsOf(both.included)).to.deep.equal(idsOf([ofB, ofBoth, document]));
      expect(both.included[0]?.shownBy?.relation).to.equal('declared');
      expect((await page({ summary: 'count', revinclude: reports })).included).to.deep.equal([]);
    });

    it('brings no row that the requester may not see, that the page holds, or that was deleted', async () => {
      const { person, grant } = await visiblePerson();
      const first = aPut({ person, sort: 2 });
      const second = aPut({ person, sort: 1, ...about('x', first) });
      const hidden = aPut({ person, level: 'R', ...about('x', first) });
      const others = aPut({ person: aPersonKey(), ...about('x', first) });
      const deleted = aPut({ person, ...about('x', first) });
      await commit([first, second, hidden, others, deleted]);
      await commitPlan(suite.records, aPlan({ deletes: [deleted] }));
      const revinclude = [{ source: 'DocumentReference', param: 'about' }] as const;
      const page = await search(suite.records, grant, aQuery('DocumentReference', { revinclude }));
      expect([idsOf(page.rows), page.included]).to.deep.equal([idsOf([first, second]), []]);
      const alone = await search(suite.records, grant, aQuery('DocumentReference', { count: 1, revinclude }));
      expect(idsOf(alone.included)).to.deep.equal([second.id]);
    });

    it('is cut at a bound that hidden rows do not count for, and says so; so is _include', async () => {
      const { person, grant } = await visiblePerson();
      const study = aPut({ type: 'ImagingStudy', person });
      const row = (level: 'N' | 'R', sort: number) =>
        aPut({ type: 'DiagnosticReport', person, level, sort, ...about('final', study) });
      const shown = Array.from({ length: MAX_INCLUDED_ROWS }, (_, sort) => row('N', sort));
      const hidden = Array.from({ length: 50 }, (_, sort) => row('R', 2_000 + sort));
      await commit([study, ...shown, ...hidden]);
      const query = aQuery('ImagingStudy', { revinclude: reports });
      const whole = await search(suite.records, grant, query);
      expect([whole.isCut, whole.included.length]).to.deep.equal([undefined, MAX_INCLUDED_ROWS]);
      expect(idsOf(whole.included)).to.deep.equal(idsOf(shown).toReversed());
      const list = aPut({ person, ...about('x', ...shown, ...hidden) });
      await commit([row('N', -1), list]);
      const cut = await search(suite.records, grant, query);
      expect([cut.isCut, idsOf(cut.included)]).to.deep.equal([true, idsOf(shown).toReversed()]);
      const including = aQuery('DocumentReference', { include: [{ param: 'about' }] });
      const included = await search(suite.records, grant, including);
      expect([included.isCut, included.included.length]).to.deep.equal([undefined, MAX_INCLUDED_ROWS]);
      await commit([{ ...list, ...about('x', study, ...shown, ...hidden) }]);
      const more = await search(suite.records, grant, including);
      expect([more.isCut, more.included.length]).to.deep.equal([true, MAX_INCLUDED_ROWS]);
      expect(more.included.map(({ type, id }) => `${type}/${id}`)).to.deep.equal(
        idsOf(shown)
          .map((id) => `DiagnosticReport/${id}`)
          .toSorted(),
      );
    }).timeout(120_000);
  });
}
