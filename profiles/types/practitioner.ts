/** Professionals. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { booleanToken, string, token } from './search-parameter.ts';

/** Practitioner. @see https://hl7.org/fhir/R4/practitioner.html */
export const Practitioner = {
  class: 'directory',
  actor: 'person',
  label: 'normal',
  release: 'at-once',
  writers: 'region',
  ended: { active: false },
  interactions: READ_AND_SEARCH,
  parameters: [
    token('identifier', 'Practitioner-identifier'),
    string('name', 'Practitioner-name'),
    string('family', 'individual-family'),
    string('given', 'individual-given'),
    booleanToken('active', 'Practitioner-active'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les professionnels',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
