/** A notice to a patient; where it is to go by letter, desks list it too. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, token } from './search-parameter.ts';

/** Communication. @see https://hl7.org/fhir/R4/communication.html */
export const Communication = {
  class: 'own',
  names: 'patient',
  subject: 'subject',
  label: 'normal',
  release: 'at-once',
  writers: 'server',
  interactions: READ_AND_SEARCH,
  parameters: [
    patient('Communication-patient', 'Communication.subject'),
    codeToken('status', 'Communication-status', 'event-status'),
    token('category', 'Communication-category'),
    token('medium', 'Communication-medium'),
    date('sent', 'Communication-sent'),
  ],
  sort: { by: 'sent', elements: ['sent'] },
  words: 'les messages',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
