/** Feeds of Patients (ITI-104) whose cost has a row: of somebody new, of who is known, and one that joins two. */
import { expect } from 'chai';
import type { Patient } from '@medplum/fhirtypes';
import { toPatient } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS, type DemoEstablishment } from '../../../fixtures/people.ts';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';
import type { CostRow } from './rows.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
/** No person of the demonstration has a number near it. */
const FIRST = 2_990_000_000_000;

/** The rows. Each time somebody new is fed, as an establishment writes her; who is joined was fed before. */
export function feedRows(): readonly CostRow[] {
  let [fresh, joined, phones] = [1, 1_000, 0];
  const feed = async (caller: FhirCaller, patient: Patient): Promise<void> => {
    const { system, value } = patient.identifier?.find(({ use }) => use === 'usual') ?? {};
    const answer = await caller.send('PUT', `Patient?identifier=${system}|${value}`, patient);
    expect(answer.status, answer.text).to.be.oneOf([200, 201]);
  };
  return [
    {
      name: 'ITI-104 feed',
      isWrite: true,
      ask: async (region) => await feed(region.strasbourg, somebody((fresh += 1), strasbourg)),
    },
    {
      name: 'ITI-104 feed, an update',
      isWrite: true,
      ask: async (region) =>
        await feed(region.strasbourg, {
          ...somebody(1, strasbourg),
          telecom: [{ system: 'phone', value: `+33 3 53 01 00 ${(phones += 1) + 10}` }],
        }),
    },
    {
      name: 'ITI-104 feed that joins',
      isWrite: true,
      before: async (region) => await feed(region.strasbourg, somebody((joined += 1), strasbourg)),
      ask: async (region) => await feed(region.nancy, somebody(joined, nancy)),
    },
  ];
}

/** What an establishment says of the nth of some people. */
function somebody(nth: number, establishment: DemoEstablishment): Patient {
  const digits = FIRST + nth;
  const value = `${digits}${String(97 - (digits % 97)).padStart(2, '0')}`;
  const { helene } = PATIENTS;
  const patient = { ...helene, national: { ...helene.national, value }, familyName: `Zwilling${letters(nth)}` };
  const said = toPatient(patient, establishment);
  const own = `cost-${nth}`;
  return {
    ...said,
    identifier: said.identifier?.map((one) => (one.use === 'usual' ? { ...one, value: own } : one)) ?? [],
  };
}

function letters(nth: number): string {
  return [...String(nth)].map((digit) => String.fromCharCode(97 + Number(digit))).join('');
}
