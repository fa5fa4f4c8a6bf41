/** Where a system is reached; one is the address of the images of this server. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, reference, token } from './search-parameter.ts';

/** Endpoint. @see https://hl7.org/fhir/R4/endpoint.html */
export const Endpoint = {
  class: 'directory',
  label: 'normal',
  release: 'at-once',
  writers: 'region',
  ended: { status: 'off' },
  interactions: READ_AND_SEARCH,
  parameters: [
    token('identifier', 'Endpoint-identifier'),
    reference('organization', 'Endpoint-organization', ['Organization']),
    codeToken('status', 'Endpoint-status', 'endpoint-status'),
    token('connection-type', 'Endpoint-connection-type'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les adresses électroniques',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
