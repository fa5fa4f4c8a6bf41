/** Josée, who represents patients before the law in tests: how she is named, and what she asks. */
import { randomUUID } from 'node:crypto';
import type { Encounter, RelatedPerson } from '@medplum/fhirtypes';
import { PATIENTS } from '../../../fixtures/people.ts';
import { signIn } from '../../../fixtures/sign-in.ts';

const { josee } = PATIENTS;
/** Josée signs in under it: she represents patients here, and is none herself. */
export const LOGIN = 'demo-patient-lu';
const ROLE_CODE = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';

/** What a door answered. */
export type Reply = { readonly status: number; readonly id: string; readonly body: Record<string, unknown> };

/** Asks the FHIR door by a token. */
export async function ask(url: string, token: string, method: string, path: string, body?: object): Promise<Reply> {
  const reply = await fetch(`${url}/fhir/${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/fhir+json',
      Prefer: 'return=representation',
      'X-Request-Id': `urn:uuid:${randomUUID()}`,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  const said = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: reply.status, id: String(said['id'] ?? ''), body: said };
}

/** What her sign-in says, which is to be refused. */
export async function refusedSignIn(url: string): Promise<string> {
  return await signIn({ url, person: LOGIN }).then(
    () => 'signed in',
    (error: Error) => error.message,
  );
}

/** The day of a birthday, so many years before today in the zone of the server, and some days on. */
export function birthday(years: number, days = 0): string {
  const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris' }).format(Date.now() + days * 86_400_000);
  const [year = '', month = '', day = ''] = today.split('-');
  return `${Number(year) - years}-${month}-${day}`;
}

/** The RelatedPerson that names her for a patient (an id), by a code of v3-RoleCode. */
export function representing(patient: string, code = 'PRN', parts: Partial<RelatedPerson> = {}): RelatedPerson {
  return {
    resourceType: 'RelatedPerson',
    active: true,
    identifier: [josee.national],
    patient: { reference: `Patient/${patient}` },
    relationship: [{ coding: [{ system: ROLE_CODE, code }] }],
    name: [{ family: josee.familyName, given: [josee.givenName] }],
    birthDate: josee.birthDate,
    ...parts,
  };
}

/** A visit of a patient (an id) with whoever files it: what it takes to name who represents her. */
export function visiting(patient: string): Encounter {
  return {
    resourceType: 'Encounter',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${patient}` },
  };
}
