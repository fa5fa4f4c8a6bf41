/** The region of the matrix: the demonstration’s, a professional for each relation and a login for each patient. */
import type { Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import type { EditedRegion } from '../../support/region-file.ts';
import { ASKING_RELATIONS, guardianNumberOf, HOLDERS, loginOf, numberOf } from './holders.ts';

/** Where the demonstration numbers who has no professional number. */
const NUMBERS = 'urn:oid:2.25.214150363587367596498171252735473154613';
const PROFESSIONS = 'urn:oid:1.2.250.1.213.1.1.4.5';
const RADIOLOGIST = 'G15_10/SM44';
const GENERAL_PRACTITIONER = 'G15_10/SM54';

/**
 * Adds the people of the matrix to a region, and lets its emergencies do what may be let; `patients` is how many of
 * these there are.
 */
export function addPeople(region: EditedRegion, patients: number): void {
  region.breakGlass = { reachesConfidential: true, passesBlocks: true };
  for (const relation of ASKING_RELATIONS) {
    const { signsIn } = HOLDERS[relation];
    if (signsIn.as !== 'professional') continue;
    const login = loginOf(relation);
    const identifier = { system: NUMBERS, value: login };
    const practitioner: Practitioner = {
      resourceType: 'Practitioner',
      id: login,
      identifier: [identifier],
      active: true,
      name: [{ family: relation, given: ['Dr'] }],
    };
    const code = signsIn.isRadiologist === true ? RADIOLOGIST : GENERAL_PRACTITIONER;
    const role: PractitionerRole = {
      resourceType: 'PractitionerRole',
      id: `${login}-role`,
      active: true,
      practitioner: { reference: `Practitioner/${login}` },
      organization: { reference: signsIn.organization },
      code: [
        { coding: [{ system: PROFESSIONS, code }] },
        ...(signsIn.office === undefined
          ? []
          : [{ coding: [{ system: CODE_SYSTEM.regionRole, code: signsIn.office }] }]),
      ],
    };
    for (const resource of [practitioner, role])
      region.bundle.entry?.push({
        resource,
        request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      });
    region.persons.push({ login, name: `Dr ${relation}`, kind: 'practitioner', identifier });
  }
  const kind = 'patient';
  for (let at = 0; at < patients; at += 1)
    region.persons.push(
      { login: patientLogin(at), name: `Patient ${at}`, kind, identifier: numberOf(at) },
      { login: guardianLogin(at), name: `Guardian ${at}`, kind, identifier: guardianNumberOf(at) },
    );
}

/** The login of a patient of the matrix, by number. */
export function patientLogin(at: number): string {
  return `matrix-patient-${at}`;
}

/** The login of who represents that patient. */
export function guardianLogin(at: number): string {
  return `matrix-guardian-${at}`;
}
