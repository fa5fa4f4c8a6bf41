/** What a physician asks for: an exam, an opinion. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, token, uri } from './search-parameter.ts';

/** ServiceRequest. @see https://hl7.org/fhir/R4/servicerequest.html */
export const ServiceRequest = {
  class: 'item',
  subject: 'subject',
  label: 'own',
  // The patient does not see a draft.
  release: ['active', 'on-hold', 'revoked', 'completed'],
  writers: 'source',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'ServiceRequest.subject'),
    reference('subject', 'ServiceRequest-subject', ['Patient', 'Group', 'Device', 'Location']),
    date('authored', 'ServiceRequest-authored'),
    codeToken('status', 'ServiceRequest-status', 'request-status'),
    codeToken('intent', 'ServiceRequest-intent', 'request-intent'),
    codeToken('priority', 'ServiceRequest-priority', 'request-priority'),
    token('category', 'ServiceRequest-category'),
    token('code', 'clinical-code'),
    token('body-site', 'ServiceRequest-body-site'),
    // Its expression is that of R4, which the package of definitions writes otherwise.
    token('order-detail', 'ServiceRequest-order-detail', { expression: 'ServiceRequest.orderDetail' }),
    token('requisition', 'ServiceRequest-requisition'),
    date('occurrence', 'ServiceRequest-occurrence'),
    reference('encounter', 'clinical-encounter', ['Encounter']),
    reference('based-on', 'ServiceRequest-based-on', ['ServiceRequest', 'CarePlan', 'MedicationRequest']),
    reference('replaces', 'ServiceRequest-replaces', ['ServiceRequest']),
    reference('requester', 'ServiceRequest-requester', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'Device',
      'RelatedPerson',
    ]),
    reference('performer', 'ServiceRequest-performer', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'CareTeam',
      'Device',
      'HealthcareService',
      'RelatedPerson',
    ]),
    token('performer-type', 'ServiceRequest-performer-type'),
    reference('specimen', 'ServiceRequest-specimen', ['Specimen']),
    reference('instantiates-canonical', 'ServiceRequest-instantiates-canonical', [
      'ActivityDefinition',
      'PlanDefinition',
    ]),
    uri('instantiates-uri', 'ServiceRequest-instantiates-uri'),
  ],
  sort: { by: 'authored', elements: ['authoredOn'] },
  words: 'les demandes d’examens',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
