/** The order of an exam, as the establishment that asks or performs sends it. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, token } from './search-parameter.ts';

/** ServiceRequest. @see https://hl7.org/fhir/R4/servicerequest.html */
export const ServiceRequest = {
  class: 'item',
  subject: 'subject',
  label: 'own',
  release: 'at-once',
  writers: 'source',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'ServiceRequest.subject'),
    reference('subject', 'ServiceRequest-subject', ['Patient', 'Device', 'Group', 'Location']),
    codeToken('status', 'ServiceRequest-status', 'request-status'),
    codeToken('intent', 'ServiceRequest-intent', 'request-intent'),
    token('code', 'clinical-code'),
    token('category', 'ServiceRequest-category'),
    date('authored', 'ServiceRequest-authored'),
    date('occurrence', 'ServiceRequest-occurrence'),
    reference('encounter', 'clinical-encounter', ['Encounter']),
    reference('requester', 'ServiceRequest-requester', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'Device',
      'RelatedPerson',
    ]),
    reference('based-on', 'ServiceRequest-based-on', ['ServiceRequest', 'CarePlan']),
  ],
  sort: { by: 'authored', elements: ['authoredOn'] },
  words: 'les demandes d’examen',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
