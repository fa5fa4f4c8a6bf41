/** A stay or a visit. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, token } from './search-parameter.ts';

/** Encounter. Its `length` is a quantity, which is not searched. @see https://hl7.org/fhir/R4/encounter.html */
export const Encounter = {
  class: 'item',
  subject: 'subject',
  label: 'own',
  consentedBy: ['instance'],
  dated: [{ param: 'date', elements: ['period'] }],
  // The patient was there.
  release: 'at-once',
  writers: 'source',
  attends: { statuses: ['arrived', 'triaged', 'in-progress', 'onleave', 'finished'] },
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'Encounter.subject'),
    reference('subject', 'Encounter-subject', ['Patient', 'Group']),
    date('date', 'clinical-date'),
    codeToken('status', 'Encounter-status', 'encounter-status'),
    token('class', 'Encounter-class'),
    token('type', 'clinical-type'),
    reference('account', 'Encounter-account', ['Account']),
    reference('appointment', 'Encounter-appointment', ['Appointment']),
    reference('based-on', 'Encounter-based-on', ['ServiceRequest']),
    reference('diagnosis', 'Encounter-diagnosis', ['Condition', 'Procedure']),
    reference('episode-of-care', 'Encounter-episode-of-care', ['EpisodeOfCare']),
    reference('location', 'Encounter-location', ['Location']),
    date('location-period', 'Encounter-location-period'),
    reference('part-of', 'Encounter-part-of', ['Encounter']),
    reference('participant', 'Encounter-participant', ['Practitioner', 'PractitionerRole', 'RelatedPerson']),
    token('participant-type', 'Encounter-participant-type'),
    reference('practitioner', 'Encounter-practitioner', ['Practitioner']),
    token('reason-code', 'Encounter-reason-code'),
    reference('reason-reference', 'Encounter-reason-reference', [
      'Condition',
      'Procedure',
      'Observation',
      'ImmunizationRecommendation',
    ]),
    reference('service-provider', 'Encounter-service-provider', ['Organization']),
    token('special-arrangement', 'Encounter-special-arrangement'),
  ],
  sort: { by: 'date', elements: ['period.start'] },
  words: 'les séjours et les consultations',
  erasedWithStudy: 'kept',
  hooks: { write: 'stay' },
} as const satisfies FhirType;
