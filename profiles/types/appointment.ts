/** When a person is expected, and by whom. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, token } from './search-parameter.ts';

/** Appointment. @see https://hl7.org/fhir/R4/appointment.html */
export const Appointment = {
  class: 'item',
  subject: 'participant.actor',
  label: 'own',
  // The patient is expected.
  release: 'at-once',
  writers: 'source',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'Appointment-identifier'),
    patient('Appointment-patient', 'Appointment.participant.actor', { needsType: true }),
    reference('actor', 'Appointment-actor', [
      'Patient',
      'Practitioner',
      'PractitionerRole',
      'RelatedPerson',
      'Device',
      'HealthcareService',
      'Location',
    ]),
    date('date', 'Appointment-date'),
    codeToken('status', 'Appointment-status', 'appointmentstatus'),
    codeToken('part-status', 'Appointment-part-status', 'participationstatus'),
    token('appointment-type', 'Appointment-appointment-type'),
    reference('based-on', 'Appointment-based-on', ['ServiceRequest']),
    reference('location', 'Appointment-location', ['Location']),
    reference('practitioner', 'Appointment-practitioner', ['Practitioner']),
    token('reason-code', 'Appointment-reason-code'),
    reference('reason-reference', 'Appointment-reason-reference', [
      'Condition',
      'Procedure',
      'Observation',
      'ImmunizationRecommendation',
    ]),
    token('service-category', 'Appointment-service-category'),
    token('service-type', 'Appointment-service-type'),
    reference('slot', 'Appointment-slot', ['Slot']),
    token('specialty', 'Appointment-specialty'),
    reference('supporting-info', 'Appointment-supporting-info', 'any'),
  ],
  sort: { by: 'date', elements: ['start'] },
  words: 'les rendez-vous',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
