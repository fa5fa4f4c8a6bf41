/** A notice to a patient. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';

/** Communication. @see https://hl7.org/fhir/R4/communication.html */
export const Communication = {
  class: 'own',
  names: 'patient',
  subject: 'subject',
  label: 'normal',
  release: 'at-once',
  writers: 'server',
  interactions: READ_AND_SEARCH,
  parameters: [],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les messages',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
