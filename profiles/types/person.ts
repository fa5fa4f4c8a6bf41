/** What one source knows of somebody: an identity, behind the one Patient that doors show. */
import type { FhirType } from './fhir-type.ts';
import { token } from './search-parameter.ts';

/**
 * Person, under the id of the Patient that the identity is by itself. Her source and the server alone see it; no door
 * serves it. @see https://hl7.org/fhir/R4/person.html
 */
export const Person = {
  class: 'own',
  label: 'normal',
  release: 'at-once',
  writers: 'server',
  interactions: [],
  parameters: [token('identifier', 'Person-identifier')],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'ce que chaque établissement sait d’une identité',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
