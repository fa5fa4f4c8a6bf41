/** By which numbers a Patient is found: by those that she is shown with, whoever else says them, on both stores. */
import type { Bundle, Extension, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../fixtures/consent.ts';
import { CODE_SYSTEM, EXTENSION } from '../../../profiles/codes.ts';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';
import { EACH_STORE } from '../../support/peers/each-store.ts';
import { startDemonstration, type Demonstration } from '../../support/demonstration.ts';
import { visited } from '../support/feed.ts';
import { aLocalId, domainOf, feed, idIn, patientOf, somebody, valuesOf } from './people.ts';

/** Identité cachée. @see https://hl7.fr/ig/fhir/core, fr-core-identity-reliability */
const CONCEALED: Extension = {
  url: EXTENSION.frIdentityReliability,
  extension: [{ url: 'comment', valueCoding: { system: CODE_SYSTEM.frIdentityStatusComment, code: 'CACH' } }],
};

/** More than one search names. */
const MANY_OTHERS = 120;

for (const { name, missing, open } of EACH_STORE) {
  describe(`A Patient is found by what she is shown with, on ${name} (IHE PDQm 2:3.78.4.1.2.3)`, () => {
    let region: Demonstration;
    let close: () => Promise<void> = async () => {};
    before(async function start() {
      if (missing() !== undefined) this.skip();
      this.timeout(90_000);
      const opened = await open();
      close = opened.close;
      region = await startDemonstration({ store: opened.store });
    });
    after(async () => {
      await region?.server.stop();
      await close();
    });

    const findOf = (one: { readonly family: string }) => async (who: FhirCaller, query: string) =>
      await who.find<Patient>(`Patient?family=${encodeURIComponent(one.family)}&${query}`);

    it('by the domain of her local number where that is shown, and answered with it alone', async () => {
      const [one, localId] = [somebody(), aLocalId()];
      await feed(region.strasbourg, 'strasbourg', localId, one);
      const find = findOf(one);
      const [found, ...others] = await find(region.strasbourg, `identifier=${domainOf('strasbourg')}|`);
      expect(others).to.deep.equal([]);
      expect(found && valuesOf(found, domainOf('strasbourg'))).to.deep.equal([localId]);
      expect(await find(region.strasbourg, `identifier=${domainOf('nancy')}|`)).to.deep.equal([]);
      expect(await find(region.nancy, `identifier=${domainOf('strasbourg')}|`)).to.deep.equal([]);
      const any = `identifier=${domainOf('nancy')}|,${domainOf('strasbourg')}|${localId}`;
      expect(await find(region.strasbourg, any)).to.have.lengthOf(1);
    });

    it('by not having a number, or none, only where she is shown without', async () => {
      const [one, localId, foreign] = [somebody(), aLocalId(), aLocalId()];
      await feed(region.strasbourg, 'strasbourg', localId, one);
      const find = findOf(one);
      expect(await find(region.strasbourg, `identifier:not=${domainOf('strasbourg')}|${localId}`)).to.deep.equal([]);
      expect(await find(region.strasbourg, `identifier:not=${localId}`)).to.deep.equal([]);
      expect(await find(region.strasbourg, `identifier:not=${domainOf('nancy')}|${foreign}`)).to.have.lengthOf(1);
      expect(await find(region.strasbourg, 'identifier:missing=true')).to.deep.equal([]);
      expect(await find(region.strasbourg, 'identifier:missing=false')).to.have.lengthOf(1);
    });

    it('by the number that names her, however many others were given it by another establishment', async function () {
      this.timeout(60_000);
      const [one, localId] = [somebody(), aLocalId()];
      const claimed = { system: domainOf('strasbourg'), value: localId };
      const entry = Array.from({ length: MANY_OTHERS }, () => {
        const patient = patientOf('nancy', aLocalId(), somebody());
        const resource: Patient = { ...patient, identifier: [...(patient.identifier ?? []), claimed] };
        return { resource, request: { method: 'POST' as const, url: 'Patient' } };
      });
      const bundle: Bundle = { resourceType: 'Bundle', type: 'transaction', entry };
      const sent = await region.nancy.send('POST', '', bundle);
      expect(sent.status, sent.text).to.equal(200);
      const fed = await feed(region.strasbourg, 'strasbourg', localId, one);
      expect(fed.status, fed.text).to.equal(201);
      for (const number of [`${claimed.system}|${localId}`, localId]) {
        const found = await region.strasbourg.find<Patient>(`Patient?identifier=${number}`);
        expect(
          found.map(({ id }) => id),
          number,
        ).to.deep.equal([idIn(fed)]);
      }
      const body = {
        resourceType: 'Parameters',
        parameter: [{ name: 'resource', resource: { resourceType: 'Patient', identifier: [claimed] } }],
      };
      const matched = (await region.strasbourg.send('POST', 'Patient/$match', body)).json<Bundle>();
      expect(matched.entry?.map(({ resource }) => resource?.id)).to.deep.equal([idIn(fed)]);
    });

    it('by no word of hers that her reader is not shown, where her establishment conceals who she is', async () => {
      const [one, localId] = [somebody(), aLocalId()];
      const fed = await feed(region.strasbourg, 'strasbourg', localId, one, { extension: [CONCEALED] });
      await visited(region.strasbourg, idIn(fed));
      const consent = await region.strasbourg.send('POST', 'Consent', demoConsent(`Patient/${idIn(fed)}`));
      expect(consent.status, consent.text).to.equal(201);
      const [shown] = await region.declared.find<Patient>(`Patient?_id=${idIn(fed)}`);
      expect(shown).to.include({ id: idIn(fed) });
      expect(shown).not.to.have.any.keys('name', 'birthDate', 'identifier');
      const words = [
        `family=${one.family}`,
        `name:contains=${one.family.slice(1)}`,
        `_id=${idIn(fed)}&birthdate=${one.birthDate}`,
        `_id=${idIn(fed)}&gender=${one.gender}`,
        `identifier=${domainOf('strasbourg')}|${localId}`,
      ];
      for (const query of words) expect(await region.declared.find(`Patient?${query}`), query).to.deep.equal([]);
      const [own] = await region.strasbourg.find<Patient>(`Patient?identifier=${domainOf('strasbourg')}|${localId}`);
      expect(own?.name?.[0]?.family).to.equal(one.family);
    });
  });
}
