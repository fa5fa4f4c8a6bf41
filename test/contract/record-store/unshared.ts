/** What is not shared: whom it is shown to beside its author and the patient. */
import { expect } from 'chai';
import { principal, type Right } from '../../../server/access/right.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import { aGrant, anEstablishmentGrant, aPersonKey, aPlan, aPut, aQuery, NOW } from '../../support/plans.ts';
import { read, searchIds } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';
import type { Suite } from '../suite.ts';

/** An item that is not shared, of one establishment and the service that holds a principal. */
export function unsharedPut(put: Put, { principal: holder }: Pick<Right, 'principal'>): Put {
  const origin = { sources: ['Organization/maker'], services: [holder.slice(holder.indexOf(':') + 1)] };
  return { ...put, origin, masks: [...put.masks, 'unshared'] };
}

/** An item whose processing is restricted, of the establishment whose officer holds a principal. */
export function restrictedPut(put: Put, { principal: holder }: Pick<Right, 'principal'>): Put {
  const origin = { sources: [holder.slice(holder.indexOf('|') + 1)], services: [] };
  return { ...put, origin, masks: [...put.masks, 'restricted'] };
}

/** Runs the contract of what is not shared. */
export function unsharedContract(suite: Suite): void {
  describe('what is not shared', () => {
    it('shows what is not shared to the service of its one author, which it opens no record', async () => {
      const person = aPersonKey();
      const service = `Organization/${person}`;
      const holder = { principal: principal.radiologists(service) };
      const role = { reference: 'PractitionerRole/1', organization: service, within: [], offices: [] };
      const grant = aGrant(`Practitioner/${person}`, NOW, [{ ...role, radiologist: true }]);
      const shown = async (): Promise<readonly string[]> =>
        [...(await searchIds(suite.records, grant, aQuery('DocumentReference')))].sort();
      const [put, other, masked] = [aPut({ person }), aPut({ person }), aPut({ person, masks: ['professionals'] })];
      const of = (sources: readonly string[]): Put => {
        const unshared = unsharedPut(put, holder);
        return { ...unshared, origin: { services: [], ...unshared.origin, sources } };
      };
      const maker = of(['Organization/maker', 'Practitioner/signer']);
      await commitPlan(suite.records, aPlan({ puts: [maker, other, unsharedPut(masked, holder)] }));
      expect(await shown()).to.deep.equal([put.id]);
      expect((await read(suite.records, grant, put))?.shownBy?.relation).to.equal('own-service');
      await commitPlan(suite.records, aPlan({ puts: [of(['Organization/maker', 'Organization/other'])] }));
      expect(await shown()).to.deep.equal([]);
      await commitPlan(
        suite.records,
        aPlan({ puts: [{ ...put, origin: maker.origin ?? { sources: [], services: [] } }] }),
      );
      expect(await shown()).to.deep.equal([put.id, other.id].sort());
      expect((await read(suite.records, grant, put))?.shownBy?.relation).to.equal('imaging-service');
    });

    it('shows it to services that a put says of what stands, which stays of who filed it', async () => {
      const person = aPersonKey();
      const [service, maker] = [`Organization/${person}`, `Organization/maker-${person}`];
      const role = { reference: 'PractitionerRole/1', organization: service, within: [], offices: [] };
      const grant = aGrant(`Practitioner/${person}`, NOW, [{ ...role, radiologist: true }]);
      const put = aPut({ person, origin: { sources: [maker], services: [] } });
      await commitPlan(suite.records, aPlan({ puts: [put] }));
      expect(await read(suite.records, grant, put)).to.equal(undefined);
      const { origin: _, ...unshared } = { ...put, masks: ['unshared'] as const, ownServices: [service] };
      await commitPlan(suite.records, aPlan({ puts: [unshared] }));
      expect((await read(suite.records, grant, put))?.shownBy?.relation).to.equal('own-service');
      const author = (await read(suite.records, anEstablishmentGrant(maker), put))?.shownBy?.relation;
      expect(author).to.equal('author');
    });
  });
}
