/**
 * Occupational medicine, and what of insurance and employment the region adds (access.md C16, R-32): whoever holds such
 * a role sees what they wrote themselves, whatever anybody gives them, and declares no emergency.
 */
import { expect } from 'chai';
import type { Parameters, PractitionerRole } from '@medplum/fhirtypes';
import { demoConsent } from '../../fixtures/consent.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { fillDemonstration, personCaller, type Demonstration } from '../support/demonstration.ts';
import { expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { onEachStore } from './support/each-store.ts';

const { radiologist } = ESTABLISHMENTS.strasbourg;
const OWN_CODE = 'assureur';

onEachStore(
  'Roles outside of care',
  {
    region: (edited) => {
      edited.rolesOutsideCare = [OWN_CODE];
      const added = { 'demo-declared-role': 'SM25', 'demo-radiologist-role': OWN_CODE };
      for (const { resource } of edited.bundle.entry ?? []) {
        const code = Object.entries(added).find(([id]) => id === resource?.id)?.[1];
        const role = resource as PractitionerRole;
        if (code !== undefined) role.specialty = [...(role.specialty ?? []), { coding: [{ system: 'urn:x', code }] }];
      }
      const further: PractitionerRole = {
        resourceType: 'PractitionerRole',
        id: 'demo-stranger-elsewhere',
        active: true,
        practitioner: { reference: 'Practitioner/demo-stranger' },
        code: [{ coding: [{ system: 'urn:oid:1.2.250.1.213.1.1.4.5', code: 'G15_10/SM25' }] }],
      };
      const url = 'PractitionerRole/demo-stranger-elsewhere';
      edited.bundle.entry?.push({ resource: further, request: { method: 'PUT', url } });
    },
  },
  (running) => {
    let region: Demonstration;
    let reader: FhirCaller;
    before(async () => {
      region = await fillDemonstration(running().server);
      reader = await personCaller(running().server, 'demo-radiologist');
    });

    const seen = async (caller: FhirCaller): Promise<readonly number[]> => {
      const counts = [];
      for (const type of ['ImagingStudy', 'DiagnosticReport', 'Patient']) counts.push((await caller.find(type)).length);
      return counts;
    };

    it('C16 see nothing that a Consent, a circle or their imaging service shows', async () => {
      expect(await seen(region.declared), 'declared at the visit').to.deep.equal([0, 0, 0]);
      const subject = `Patient/${region.patients.helene}`;
      const declared = await region.patient.send('POST', 'Consent', demoConsent(subject));
      expect(declared.status, declared.text).to.be.oneOf([200, 201]);
      const team = {
        resourceType: 'CareTeam',
        status: 'active',
        category: [{ coding: [{ system: 'urn:passerelle:CodeSystem:record-circle', code: 'referent' }] }],
        subject: { reference: subject },
        participant: [{ member: { reference: 'Practitioner/demo-declared' } }],
      };
      expect((await region.patient.send('POST', 'CareTeam', team)).status).to.equal(201);
      expect(await seen(region.declared)).to.deep.equal([0, 0, 0]);
      const others = demoConsent(subject);
      for (const { reference } of others.provision?.actor ?? []) reference.reference = 'Practitioner/demo-stranger';
      const toStranger = await region.patient.send('POST', 'Consent', others);
      expect(toStranger.status, toStranger.text).to.equal(201);
      expect(await seen(region.stranger), 'by a role in no organization, beside one of care').to.deep.equal([0, 0, 0]);
      const [images, reports] = await seen(reader);
      expect(images, 'images of the service').to.equal(0);
      expect(reports, 'reports that the radiologist signed').to.be.greaterThan(0);
    });

    it('C16 declare no emergency, and are in no list of who may open the record but as authors', async () => {
      const { system, value } = PATIENTS.helene.national;
      const parameter = [
        { name: 'identifier', valueIdentifier: { system, value } },
        { name: 'reason', valueCode: 'ETREAT' },
        { name: 'justification', valueString: 'Patiente inconsciente aux urgences' },
      ];
      const now = Math.floor(Date.now() / 1000);
      const fresh = await personCaller(running().server, 'demo-declared', { authTime: now });
      const body = { resourceType: 'Parameters', parameter };
      expectOutcome(await fresh.send('POST', 'Patient/$break-glass', body), 403, 'forbidden');
      expect(await seen(fresh)).to.deep.equal([0, 0, 0]);
      const list = (await region.patient.get('Patient/$who-can-access')).json<Parameters>();
      const entries = (list.parameter ?? []).flatMap(({ part = [] }) => {
        const who = part.find(({ name }) => name === 'who')?.valueReference?.reference;
        const relation = part.find(({ name }) => name === 'relation')?.valueCode;
        return who === undefined ? [] : [`${who} ${relation}`];
      });
      for (const outside of ['Practitioner/demo-declared ', 'Practitioner/demo-stranger '])
        expect(entries.filter((one) => one.startsWith(outside))).to.deep.equal([]);
      const signed = entries.filter((one) => one.startsWith(`${radiologist.reference} `));
      expect(new Set(signed)).to.deep.equal(new Set([`${radiologist.reference} author`]));
    });
  },
);
