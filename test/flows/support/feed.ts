/** An establishment says who a patient of its own is (ITI-104), with her qualified number, and that she was there. */
import { expect } from 'chai';
import { toPatient } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, type DemoPatient, type EstablishmentKey } from '../../../fixtures/people.ts';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';

/** Feeds the Patient under her number at the establishment. */
export async function feed(caller: FhirCaller, patient: DemoPatient, key: EstablishmentKey): Promise<void> {
  const resource = toPatient(patient, ESTABLISHMENTS[key]);
  const [{ system, value } = {}] = resource.identifier ?? [];
  const answer = await caller.send('PUT', `Patient?identifier=${system}|${value}`, resource);
  expect(answer.status, answer.text).to.be.oneOf([200, 201]);
}

/** The establishment says that its patient (the id of her Patient) was there: a visit that is over. */
export async function visited(caller: FhirCaller, patient: string): Promise<void> {
  const answer = await caller.send('POST', 'Encounter', {
    resourceType: 'Encounter',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${patient}` },
  });
  expect(answer.status, answer.text).to.equal(201);
}
