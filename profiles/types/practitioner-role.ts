/** What a professional does for an establishment. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { booleanToken, reference, token } from './search-parameter.ts';

/** PractitionerRole. @see https://hl7.org/fhir/R4/practitionerrole.html */
export const PractitionerRole = {
  class: 'directory',
  actor: 'role',
  label: 'normal',
  release: 'at-once',
  writers: 'region',
  ended: { active: false },
  interactions: READ_AND_SEARCH,
  parameters: [
    reference('practitioner', 'PractitionerRole-practitioner', ['Practitioner']),
    reference('organization', 'PractitionerRole-organization', ['Organization']),
    token('role', 'PractitionerRole-role'),
    token('specialty', 'PractitionerRole-specialty'),
    booleanToken('active', 'PractitionerRole-active'),
    token('identifier', 'PractitionerRole-identifier'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les fonctions des professionnels',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
