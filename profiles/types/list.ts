/** A list in the record, as that of allergies, or a folder of documents. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, string, token } from './search-parameter.ts';

/** List. @see https://hl7.org/fhir/R4/list.html */
export const List = {
  class: 'item',
  subject: 'subject',
  label: 'own',
  // All but what was entered in error. What a list names is visible by its own rule.
  release: ['current', 'retired'],
  writers: 'source',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'List.subject'),
    reference('subject', 'List-subject', ['Patient', 'Group', 'Device', 'Location']),
    date('date', 'clinical-date'),
    codeToken('status', 'List-status', 'list-status'),
    token('code', 'clinical-code'),
    token('empty-reason', 'List-empty-reason'),
    reference('encounter', 'clinical-encounter', ['Encounter']),
    reference('item', 'List-item', 'any'),
    string('notes', 'List-notes'),
    reference('source', 'List-source', ['Practitioner', 'PractitionerRole', 'Patient', 'Device']),
    string('title', 'List-title'),
  ],
  sort: { by: 'date', elements: ['date'] },
  words: 'les listes du dossier',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
