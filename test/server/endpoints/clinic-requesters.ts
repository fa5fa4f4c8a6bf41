/** Those who ask at the doors of a clinic: a patient, professionals, and the clinic itself. */
import type { Requester } from '../../../server/access/requester.ts';
import type { ClinicPatient } from './clinic.ts';

/** Returns who asks at a clinic (`Organization/id`), by the token: see `Clinic.identify`. */
export function requestersOf(clinic: string, anne: ClinicPatient): Readonly<Record<string, Requester>> {
  const scopes = ['user/*.rs'];
  const asked = { clientId: 'viewer', scopes, purpose: 'TREAT' } as const;
  const lambert = {
    ...asked,
    kind: 'practitioner',
    practitioner: 'Practitioner/lambert',
    roles: [],
    display: 'Dr Zoé Lambert',
  } as const;
  return {
    lambert,
    weak: { ...lambert, scopes: ['user/Patient.r'] },
    clinic: {
      ...asked,
      kind: 'establishment',
      organization: clinic,
      scopes: ['system/ImagingStudy.crs'],
      display: 'pacs',
    },
    'clinic-reader': {
      ...asked,
      kind: 'establishment',
      organization: clinic,
      scopes: ['system/*.rs'],
      display: 'reader',
    },
    stranger: { ...lambert, practitioner: 'Practitioner/stranger', display: 'Dr Nobody' },
    anne: {
      ...asked,
      purpose: 'PATRQT',
      kind: 'patient',
      patient: `Patient/${anne.resource.id}`,
      person: anne.person,
      display: 'Anne',
    },
  };
}
