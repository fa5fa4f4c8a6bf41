/** An establishment says who a patient of its own is (ITI-104), with her qualified number. */
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
