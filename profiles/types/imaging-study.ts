/** An exam, as its images tell it. */
import { EXTENSION } from '../codes.ts';
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, own, patient, reference, token } from './search-parameter.ts';

/** ImagingStudy. @see https://hl7.org/fhir/R4/imagingstudy.html */
export const ImagingStudy = {
  class: 'item',
  subject: 'subject',
  label: 'own',
  release: 'with-report',
  // The exam is one thing: its images, and what was written of them.
  consentedBy: ['instance', 'related'],
  dated: [{ param: 'started', elements: ['started'] }],
  exam: {
    kind: 'exam',
    words: ['description', 'procedureCode.text', 'procedureCode.coding.display'],
    started: ['started'],
    modality: 'modality.code',
  },
  writers: 'derived',
  attends: { statuses: ['registered', 'available'] },
  interactions: READ_AND_SEARCH,
  operations: ['move', 'set-confidentiality', 'share'],
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'ImagingStudy.subject'),
    reference('subject', 'ImagingStudy-subject', ['Patient', 'Device', 'Group']),
    date('started', 'ImagingStudy-started'),
    codeToken('status', 'ImagingStudy-status', 'imagingstudy-status'),
    token('modality', 'ImagingStudy-modality'),
    token('series', 'ImagingStudy-series'),
    reference('basedon', 'ImagingStudy-basedon', ['Task', 'ServiceRequest', 'Appointment', 'CarePlan']),
    reference('endpoint', 'ImagingStudy-endpoint', ['Endpoint']),
    reference('encounter', 'ImagingStudy-encounter', ['Encounter']),
    reference('referrer', 'ImagingStudy-referrer', ['Practitioner', 'PractitionerRole']),
    reference('interpreter', 'ImagingStudy-interpreter', ['Practitioner', 'PractitionerRole']),
    reference('performer', 'ImagingStudy-performer', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'CareTeam',
      'Device',
      'RelatedPerson',
    ]),
    token('reason', 'ImagingStudy-reason'),
    token('bodysite', 'ImagingStudy-bodysite'),
    token('dicom-class', 'ImagingStudy-dicom-class'),
    own('ImagingStudy', 'accession', 'string', 'ImagingStudy.basedOn.identifier.value'),
    own('ImagingStudy', 'description', 'string', 'ImagingStudy.description'),
    own('ImagingStudy', 'referrer-name', 'string', 'ImagingStudy.referrer.display'),
    // The number that the images bear, as a text of which a part may be asked for.
    own('ImagingStudy', 'patient-id', 'string', 'ImagingStudy.subject.identifier.value'),
    own('ImagingStudy', 'study-id', 'string', `ImagingStudy.extension.where(url = '${EXTENSION.studyId}').value`),
    // The local time of day, as a time of the first day that a Date knows.
    own(
      'ImagingStudy',
      'started-time',
      'date',
      "'1970-01-01T' + ImagingStudy.started.toString().substring(11, 8) + 'Z'",
    ),
  ],
  // The European imaging profiles name the R4 parameters so. @see HL7 Europe Imaging Report
  otherSpellings: { 'based-on': 'basedon', 'body-site': 'bodysite' },
  sort: { by: 'started', elements: ['started'] },
  words: 'les examens d’imagerie',
  erasedWithStudy: 'imaging-study',
} as const satisfies FhirType;
