/** Rows that `_include` brings. @see https://hl7.org/fhir/R4/search.html#include */
import { expect } from 'chai';
import { principal } from '../../../server/access/right.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { aGrant, aPersonKey, aPlan, aPut, aQuery, aRight, NO_ENTRIES } from '../../support/plans.ts';
import { idsOf, search } from '../../support/reads.ts';
import type { Suite } from '../suite.ts';
import { commitPlan } from '../../support/warrants.ts';

/** Runs the contract of included rows. */
export function includingContract(suite: Suite): void {
  const pointing = (...references: readonly (readonly [param: string, put: Pick<Put, 'type' | 'id'>])[]) => ({
    ...NO_ENTRIES,
    references: references.map(([param, { type, id }]) => ({ param, target: `${type}/${id}` })),
  });

  const commit = async (person: ReturnType<typeof aPersonKey>, puts: readonly Put[]) => {
    const right = aRight({ person, principal: principal.practitioner(`Practitioner/${person}`) });
    await commitPlan(suite.records, aPlan({ puts, rights: [right] }));
    return aGrant(`Practitioner/${person}`);
  };

  describe('_include', () => {
    it('brings each visible target once, of the type that is asked for', async () => {
      const person = aPersonKey();
      const [patient, organization] = [aPut({ type: 'Patient', person }), aPut({ type: 'Organization' })];
      const rows = [1, 2].map(() =>
        aPut({ person, index: pointing(['subject', patient], ['author', organization], ['author', patient]) }),
      );
      const grant = await commit(person, [...rows, patient, organization]);
      const included = async (...include: readonly { param: string; target?: 'Patient' | 'Organization' }[]) => {
        const page = await search(suite.records, grant, aQuery('DocumentReference', { include }));
        expect(page.rows.length).to.equal(2);
        return [...idsOf(page.included)].sort();
      };
      expect(await included({ param: 'subject' })).to.deep.equal([patient.id]);
      expect(await included({ param: 'author' })).to.deep.equal([organization.id, patient.id].sort());
      expect(await included({ param: 'author', target: 'Organization' })).to.deep.equal([organization.id]);
      expect(await included({ param: 'subject' }, { param: 'author' })).to.deep.equal(
        [organization.id, patient.id].sort(),
      );
      expect(await included({ param: 'other' })).to.deep.equal([]);
      expect(await included()).to.deep.equal([]);
    });

    it('leaves hidden and deleted targets out, as if they were unknown', async () => {
      const person = aPersonKey();
      const hidden = aPut({ type: 'Patient', person: aPersonKey() });
      const restricted = aPut({ type: 'ImagingStudy', person, level: 'R' });
      const deleted = aPut({ type: 'ImagingStudy', person });
      const index = pointing(
        ['subject', hidden],
        ['related', restricted],
        ['related', deleted],
        ['related', { type: 'ImagingStudy', id: 'none' }],
      );
      const grant = await commit(person, [aPut({ person, index }), hidden, restricted, deleted]);
      await commitPlan(suite.records, aPlan({ deletes: [deleted] }));
      const page = await search(
        suite.records,
        grant,
        aQuery('DocumentReference', { include: [{ param: 'subject' }, { param: 'related' }] }),
      );
      expect(page.rows.length).to.equal(1);
      expect(page.included).to.deep.equal([]);
    });

    it('brings no row that the page holds already, and the targets of this page only', async () => {
      const person = aPersonKey();
      const first = aPut({ person, sort: 3 });
      const second = aPut({ person, sort: 2, index: pointing(['relatesto', first]) });
      const third = aPut({ person, sort: 1, index: pointing(['relatesto', second]) });
      const grant = await commit(person, [first, second, third]);
      const query = aQuery('DocumentReference', { count: 2, include: [{ param: 'relatesto' }] });
      const page = await search(suite.records, grant, query);
      expect(idsOf(page.rows)).to.deep.equal([first.id, second.id]);
      expect(page.included).to.deep.equal([]);
      const next = await search(suite.records, grant, query, page.next);
      expect(idsOf(next.rows)).to.deep.equal([third.id]);
      expect(idsOf(next.included)).to.deep.equal([second.id]);
    });

    it('says by which right an included row is shown', async () => {
      const person = aPersonKey();
      const patient = aPut({ type: 'Patient', person });
      const grant = await commit(person, [aPut({ person, index: pointing(['subject', patient]) }), patient]);
      const page = await search(suite.records, grant, aQuery('DocumentReference', { include: [{ param: 'subject' }] }));
      expect(page.included[0]?.shownBy?.relation).to.equal('declared');
      expect(page.included[0]?.shownBy?.rightId).to.equal(page.rows[0]?.shownBy?.rightId);
    });
  });
}
