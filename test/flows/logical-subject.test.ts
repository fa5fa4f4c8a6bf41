/** A patient who is named by an identifier alone (FHIR R4 references.html#logical), in what is written about her. */
import type { Appointment, Encounter, Identifier, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../fixtures/consent.ts';
import { patientIdentifier } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { expectOutcome, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
const { helene, gaetan } = PATIENTS;
const { system, value } = helene.national;
const NATIONAL = { system, value };
const numberAt = (...named: Parameters<typeof patientIdentifier>): Identifier & { readonly value: string } => {
  const own = patientIdentifier(...named);
  return { system: own.system ?? '', value: own.value ?? '' };
};

/** What establishments write about her, by how it names her. */
const WRITTEN: Readonly<Record<string, (identifier: Identifier) => Resource>> = {
  Consent: (identifier) => ({ ...demoConsent('Patient/nobody'), patient: { identifier } }),
  ServiceRequest: (identifier): ServiceRequest => ({
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { type: 'Patient', identifier },
  }),
  Encounter: (identifier): Encounter => ({
    resourceType: 'Encounter',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { identifier, display: 'H.' },
  }),
  Appointment: (identifier): Appointment => ({
    resourceType: 'Appointment',
    status: 'proposed',
    participant: [
      { status: 'accepted', actor: { type: 'Practitioner', identifier: { system: 'urn:x', value: '1' } } },
      { status: 'accepted', actor: { type: 'Patient', identifier } },
    ],
  }),
};

describe('A patient who is named by an identifier alone', function () {
  this.timeout(60_000);
  let region: Demonstration;
  before(async () => {
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  const send = async (caller: FhirCaller, resource: Resource) =>
    await caller.send('POST', resource.resourceType, resource);

  for (const [type, build] of Object.entries(WRITTEN))
    it(`${type}: is she who bears it, by the sender’s own number and by the national one`, async () => {
      for (const [caller, identifier] of [
        [region.strasbourg, numberAt(helene, strasbourg)],
        [region.strasbourg, NATIONAL],
        [region.nancy, numberAt(helene, nancy)],
      ] as const) {
        const made = await send(caller, build(identifier));
        // The same correspondent stands already by that establishment: said of her by whichever number it is one.
        const isRepeat = type === 'Consent' && caller === region.strasbourg;
        expect(made.status, made.text).to.equal(isRepeat ? 200 : 201);
        const id = (made.headers.get('location') ?? '').split('/').at(-3) ?? '';
        const text = (await caller.get(`${type}/${id}`)).text;
        expect(text).to.include(`"reference":"Patient/${region.patients.helene}"`).and.to.include(identifier.value);
        expect((await region.patient.get(`${type}/${id}`)).status, 'hers').to.equal(200);
      }
    });

  it('is herself, to herself', async () => {
    const made = await send(region.patient, WRITTEN['Consent']?.(NATIONAL) ?? expect.fail());
    expect(made.status, made.text).to.equal(201);
  });

  it('is nobody by a number that the sender may not know, as by one that nobody bears', async () => {
    const hidden = { system: gaetan.national.system, value: gaetan.national.value };
    for (const build of Object.values(WRITTEN)) {
      const answers = [];
      for (const identifier of [hidden, numberAt(gaetan, strasbourg), { ...hidden, value: '0' }, { value: '1' }]) {
        const answer = await send(region.nancy, build(identifier));
        expectOutcome(answer, 400);
        expect(answer.text).to.not.include(identifier.value);
        answers.push(answer.text);
      }
      expect(new Set(answers.slice(0, 3)).size).to.equal(1);
    }
    expectOutcome(await send(region.patient, WRITTEN['Consent']?.(hidden) ?? expect.fail()), 400);
  });
});
