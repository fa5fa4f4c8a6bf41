/** Places of care. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, reference, string, token } from './search-parameter.ts';

/** Location. `near` is a distance, which is not searched. @see https://hl7.org/fhir/R4/location.html */
export const Location = {
  class: 'directory',
  label: 'normal',
  release: 'at-once',
  writers: 'region',
  ended: { status: 'inactive' },
  interactions: READ_AND_SEARCH,
  parameters: [
    token('identifier', 'Location-identifier'),
    string('name', 'Location-name'),
    codeToken('status', 'Location-status', 'location-status'),
    token('operational-status', 'Location-operational-status'),
    token('type', 'Location-type'),
    reference('organization', 'Location-organization', ['Organization']),
    reference('partof', 'Location-partof', ['Location']),
    reference('endpoint', 'Location-endpoint', ['Endpoint']),
    string('address', 'Location-address'),
    string('address-city', 'Location-address-city'),
    string('address-country', 'Location-address-country'),
    string('address-postalcode', 'Location-address-postalcode'),
    string('address-state', 'Location-address-state'),
    codeToken('address-use', 'Location-address-use', 'address-use'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les lieux de soins',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
