/** A document of the record: the form of a report, or the manifest of an exam. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, token } from './search-parameter.ts';

/** DocumentReference. @see https://hl7.org/fhir/R4/documentreference.html and IHE MHD ITI-67 */
export const DocumentReference = {
  class: 'item',
  subject: 'subject',
  label: 'own',
  release: 'with-report',
  partOf: { element: 'context.related', param: 'related' },
  consentedBy: ['instance'],
  dated: [
    { param: 'period', elements: ['context.period'] },
    { param: 'date', elements: ['date'] },
  ],
  exam: {
    kind: 'document',
    words: ['description', 'type.text', 'type.coding.display'],
    started: ['context.period.start', 'date'],
  },
  writers: 'derived',
  interactions: READ_AND_SEARCH,
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'DocumentReference.subject'),
    reference('subject', 'DocumentReference-subject', ['Patient', 'Practitioner', 'Device', 'Group']),
    codeToken('status', 'DocumentReference-status', 'document-reference-status'),
    token('type', 'clinical-type'),
    token('category', 'DocumentReference-category'),
    date('date', 'DocumentReference-date'),
    {
      code: 'creation',
      type: 'date',
      definition: 'https://profiles.ihe.net/ITI/MHD/SearchParameter/DocumentReference-Creation',
      expression: 'DocumentReference.content.attachment.creation',
    },
    date('period', 'DocumentReference-period'),
    // R4 allows any type; these are the ones that documents are related to here, studies first.
    reference('related', 'DocumentReference-related', ['ImagingStudy', 'DiagnosticReport', 'DocumentReference']),
    reference('relatesto', 'DocumentReference-relatesto', ['DocumentReference']),
    token('setting', 'DocumentReference-setting'),
    token('facility', 'DocumentReference-facility'),
    token('event', 'DocumentReference-event'),
    token('format', 'DocumentReference-format'),
    token('security-label', 'DocumentReference-security-label'),
    reference('author', 'DocumentReference-author', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'Device',
      'RelatedPerson',
    ]),
  ],
  sort: { by: 'date', elements: ['date'] },
  searchedAs: 'iti-67',
  words: 'la liste des documents',
  erasedWithStudy: 'manifests',
} as const satisfies FhirType;
