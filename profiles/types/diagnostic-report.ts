/** A report on exams, with its document. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, own, patient, reference, token } from './search-parameter.ts';

/** DiagnosticReport. @see https://hl7.org/fhir/R4/diagnosticreport.html */
export const DiagnosticReport = {
  class: 'item',
  subject: 'subject',
  label: 'own',
  // What a physician has validated.
  release: ['final', 'amended', 'corrected', 'appended'],
  unreleased: 'service',
  toldInError: ['identifier', 'status', 'subject', 'effectiveDateTime', 'effectivePeriod', 'issued'],
  partOf: { element: 'imagingStudy', param: 'imaging-study' },
  consentedBy: ['instance'],
  dated: [
    { param: 'date', elements: ['effectiveDateTime', 'effectivePeriod'] },
    { param: 'issued', elements: ['issued'] },
  ],
  exam: { kind: 'report', words: ['code.text', 'code.coding.display'], started: ['effectiveDateTime', 'issued'] },
  writers: 'source',
  // One that names no exam may be of a sample that was sent in.
  attends: {
    statuses: ['partial', 'preliminary', 'final', 'amended', 'corrected', 'appended'],
    element: 'imagingStudy',
  },
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch'],
  conditional: ['create', 'update'],
  operations: ['set-confidentiality', 'share'],
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'DiagnosticReport.subject'),
    reference('subject', 'DiagnosticReport-subject', ['Patient', 'Device', 'Group', 'Location']),
    date('date', 'clinical-date'),
    codeToken('status', 'DiagnosticReport-status', 'diagnostic-report-status'),
    token('category', 'DiagnosticReport-category'),
    token('code', 'clinical-code'),
    date('issued', 'DiagnosticReport-issued'),
    reference('based-on', 'DiagnosticReport-based-on', ['ServiceRequest', 'CarePlan']),
    own('DiagnosticReport', 'imaging-study', 'reference', 'DiagnosticReport.imagingStudy', {
      targets: ['ImagingStudy'],
    }),
  ],
  sort: { by: 'issued', elements: ['issued', 'effectiveDateTime'] },
  words: 'les comptes rendus',
  erasedWithStudy: 'reports',
  hooks: { write: 'documents' },
} as const satisfies FhirType;
