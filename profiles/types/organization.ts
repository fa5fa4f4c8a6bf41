/** Establishments and their services. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { booleanToken, string, token } from './search-parameter.ts';

/** Organization. @see https://hl7.org/fhir/R4/organization.html */
export const Organization = {
  class: 'directory',
  actor: 'members',
  label: 'normal',
  release: 'at-once',
  writers: 'region',
  ended: { active: false },
  interactions: READ_AND_SEARCH,
  parameters: [
    token('identifier', 'Organization-identifier'),
    string('name', 'Organization-name'),
    booleanToken('active', 'Organization-active'),
    token('type', 'Organization-type'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les établissements',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
