/** People of the identity stories: Patients as establishments feed them, with national numbers of the right form. */
import type { Extension, Identifier, Patient } from '@medplum/fhirtypes';
import { ESTABLISHMENTS, type EstablishmentKey } from '../../../fixtures/people.ts';
import { CODE_SYSTEM, EXTENSION, IDENTIFIER_SYSTEM, oidUri } from '../../../profiles/codes.ts';
import type { FhirAnswer, FhirCaller } from '../../support/clients/fhir-caller.ts';

/** The traits of somebody, and her national numbers. */
export type Somebody = {
  readonly family: string;
  readonly given: string;
  readonly birthDate: string;
  readonly gender: 'female' | 'male';
  readonly numbers?: readonly Identifier[];
  /** Code of the identity's status; `QUAL` when it is not said. */
  readonly status?: string;
  readonly birthOrder?: number;
  readonly birthPlace?: string;
};

let drawn = 0;

/** A number that no other test draws: a test INS-NIR (13 characters and its key) of a woman. */
export function anINS(first = '2'): Identifier {
  drawn += 1;
  const body = `${first}790599${String(600_000 + drawn).padStart(6, '0')}`;
  const key = String(97 - (Number(body) % 97)).padStart(2, '0');
  return { use: 'official', system: IDENTIFIER_SYSTEM.insNirTest, value: `${body}${key}` };
}

/** A matricule of Luxembourg that no other test draws, for a birth date (YYYY-MM-DD). */
export function aMatricule(birthDate: string): Identifier {
  drawn += 1;
  return {
    use: 'official',
    system: IDENTIFIER_SYSTEM.matricule,
    value: `${birthDate.replaceAll('-', '')}${String(10_000 + drawn)}`,
  };
}

/** A local number that no other test draws. */
export function aLocalId(): string {
  drawn += 1;
  return `ID-${drawn}`;
}

/** Somebody whom no other test knows. */
export function somebody(parts: Partial<Somebody> = {}): Somebody {
  drawn += 1;
  return { family: `Ormélac${drawn}`, given: 'Ysoline', birthDate: '1979-05-14', gender: 'female', ...parts };
}

/** The identifier system of an establishment. */
export function domainOf(key: EstablishmentKey): string {
  return oidUri(ESTABLISHMENTS[key].patientIdDomain);
}

/** The Patient of somebody, as an establishment knows her under a local number. */
export function patientOf(key: EstablishmentKey, localId: string, one: Somebody): Patient {
  const { family, given, birthDate, gender, numbers = [], status = 'QUAL', birthOrder, birthPlace } = one;
  const reliability: Extension = {
    url: EXTENSION.frIdentityReliability,
    extension: [{ url: 'identityStatus', valueCoding: { system: CODE_SYSTEM.frIdentityStatus, code: status } }],
  };
  const place: Extension[] =
    birthPlace === undefined
      ? []
      : [
          {
            url: EXTENSION.birthPlace,
            valueAddress: { extension: [{ url: EXTENSION.frInseeCode, valueCoding: { code: birthPlace } }] },
          },
        ];
  return {
    resourceType: 'Patient',
    extension: [reliability, ...place],
    identifier: [{ system: domainOf(key), value: localId }, ...numbers],
    active: true,
    name: [{ use: 'official', family, given: [given] }],
    gender,
    birthDate,
    ...(birthOrder === undefined ? {} : { multipleBirthInteger: birthOrder }),
  };
}

/** Feeds an identity (ITI-104). */
export async function feed(
  caller: FhirCaller,
  key: EstablishmentKey,
  localId: string,
  one: Somebody,
  more: Partial<Patient> = {},
): Promise<FhirAnswer> {
  const patient = { ...patientOf(key, localId, one), ...more };
  return await caller.send('PUT', `Patient?identifier=${domainOf(key)}|${localId}`, patient);
}

/** The logical id of the identity that an answer to a feed names. */
export function idIn(answer: FhirAnswer): string {
  const location = answer.headers.get('location') ?? '';
  return location.split('/').at(-3) ?? '';
}

/** The values of a Patient's identifiers of a system. */
export function valuesOf({ identifier = [] }: Patient, system: string): readonly string[] {
  return identifier.filter((one) => one.system === system).flatMap(({ value }) => value ?? []);
}

/** A desk says that two Patients (ids) are one, or are two, and how it knows; without a reason where it is null. */
export async function judge(
  caller: FhirCaller,
  operation: 'join' | 'separate',
  [one, other]: readonly [string, string],
  reason: string | null = 'Carte d’identité',
): Promise<FhirAnswer> {
  const parameter = [
    { name: 'patient', valueReference: { reference: `Patient/${one}` } },
    { name: 'other', valueReference: { reference: `Patient/${other}` } },
    ...(reason === null ? [] : [{ name: 'reason', valueString: reason }]),
  ];
  return await caller.send('POST', `Patient/$${operation}`, { resourceType: 'Parameters', parameter });
}
