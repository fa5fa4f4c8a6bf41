/** What the tests of FHIR writes send: a person of their own, conditions, transactions, Consents. */
import type { Bundle, BundleEntry, Patient } from '@medplum/fhirtypes';

import { patientIdentifier, toPatient } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';

import { type FhirCaller } from '../../support/clients/fhir-caller.ts';

export const { strasbourg, nancy } = ESTABLISHMENTS;
export const PERSON = {
  familyName: 'Orbélian',
  givenName: 'Ysaline',
  birthDate: '1979-03-05',
  gender: 'female',
  localId: { strasbourg: 'W-1', nancy: 'W-2' },
} as const;
export const NATIONAL = { system: PATIENTS.helene.national.system, value: '279036799900487' };

/** A Patient of the tests; without `national` only its establishment knows who it is. */
export function aPatient(
  establishment: typeof strasbourg | typeof nancy,
  number: string,
  national?: { readonly system: string; readonly value: string },
): Patient {
  const patient = toPatient(
    { ...PERSON, national: national ?? NATIONAL, localId: { [establishment.key]: number } },
    establishment,
  );
  return national === undefined ? { ...patient, identifier: (patient.identifier ?? []).slice(0, 1) } : patient;
}

export function conditionOf(establishment: typeof strasbourg | typeof nancy, number: string): string {
  const { system } = patientIdentifier(PATIENTS.helene, establishment);
  return `identifier=${system}|${number}`;
}

export function transactionOf(...entry: BundleEntry[]): Bundle {
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

export async function count(caller: FhirCaller, path: string): Promise<number | undefined> {
  return (await caller.get(`${path}${path.includes('?') ? '&' : '?'}_summary=count`)).json<Bundle>().total;
}

export const PERSON_OF_TESTS = {
  ...PERSON,
  national: { system: NATIONAL.system, value: '279036799900784' },
  localId: { strasbourg: 'W-99' },
};

export function withdrawal(patient: string): object {
  return {
    resourceType: 'Parameters',
    parameter: [{ name: 'patient', valueReference: { reference: `Patient/${patient}` } }],
  };
}

export function consentFor(patient: string, practitioner: string, purpose = 'TREAT'): object {
  return {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: `Patient/${patient}` },
    dateTime: '2026-01-20T10:00:00+01:00',
    policy: [{ uri: 'https://profiles.ihe.net/ITI/PCF/Policy-basic-normal' }],
    provision: {
      type: 'permit',
      purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: purpose }],
      actor: [
        {
          role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
          reference: { reference: practitioner },
        },
      ],
    },
  };
}
