/** What an establishment offers at its places. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { booleanToken, reference, string, token } from './search-parameter.ts';

/** HealthcareService. @see https://hl7.org/fhir/R4/healthcareservice.html */
export const HealthcareService = {
  class: 'directory',
  label: 'normal',
  release: 'at-once',
  writers: 'region',
  ended: { active: false },
  interactions: READ_AND_SEARCH,
  parameters: [
    token('identifier', 'HealthcareService-identifier'),
    string('name', 'HealthcareService-name'),
    booleanToken('active', 'HealthcareService-active'),
    reference('organization', 'HealthcareService-organization', ['Organization']),
    reference('location', 'HealthcareService-location', ['Location']),
    reference('coverage-area', 'HealthcareService-coverage-area', ['Location']),
    reference('endpoint', 'HealthcareService-endpoint', ['Endpoint']),
    token('service-category', 'HealthcareService-service-category'),
    token('service-type', 'HealthcareService-service-type'),
    token('specialty', 'HealthcareService-specialty'),
    token('characteristic', 'HealthcareService-characteristic'),
    token('program', 'HealthcareService-program'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'l’offre de soins',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
