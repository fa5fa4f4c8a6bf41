/** A measurement or a finding. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, string, token } from './search-parameter.ts';

/**
 * Observation. Quantities and pairs of code and value are not searched.
 * @see https://hl7.org/fhir/R4/observation.html
 */
export const Observation = {
  class: 'item',
  subject: 'subject',
  label: 'own',
  // What was validated.
  release: ['final', 'amended', 'corrected'],
  consentedBy: ['instance'],
  writers: 'source',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'Observation.subject'),
    reference('subject', 'Observation-subject', ['Patient', 'Group', 'Device', 'Location']),
    date('date', 'clinical-date'),
    codeToken('status', 'Observation-status', 'observation-status'),
    token('category', 'Observation-category'),
    token('code', 'clinical-code'),
    token('combo-code', 'Observation-combo-code'),
    token('component-code', 'Observation-component-code'),
    token('value-concept', 'Observation-value-concept'),
    token('combo-value-concept', 'Observation-combo-value-concept'),
    token('component-value-concept', 'Observation-component-value-concept'),
    token('data-absent-reason', 'Observation-data-absent-reason'),
    token('combo-data-absent-reason', 'Observation-combo-data-absent-reason'),
    token('component-data-absent-reason', 'Observation-component-data-absent-reason'),
    token('method', 'Observation-method'),
    date('value-date', 'Observation-value-date'),
    string('value-string', 'Observation-value-string'),
    reference('encounter', 'clinical-encounter', ['Encounter']),
    reference('based-on', 'Observation-based-on', [
      'ServiceRequest',
      'CarePlan',
      'DeviceRequest',
      'ImmunizationRecommendation',
      'MedicationRequest',
      'NutritionOrder',
    ]),
    reference('derived-from', 'Observation-derived-from', [
      'ImagingStudy',
      'DocumentReference',
      'Observation',
      'Media',
      'MolecularSequence',
      'QuestionnaireResponse',
    ]),
    reference('device', 'Observation-device', ['Device', 'DeviceMetric']),
    reference('focus', 'Observation-focus', 'any'),
    reference('has-member', 'Observation-has-member', ['Observation', 'MolecularSequence', 'QuestionnaireResponse']),
    reference('part-of', 'Observation-part-of', [
      'ImagingStudy',
      'Immunization',
      'MedicationAdministration',
      'MedicationDispense',
      'MedicationStatement',
      'Procedure',
    ]),
    reference('performer', 'Observation-performer', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'CareTeam',
      'RelatedPerson',
    ]),
    reference('specimen', 'Observation-specimen', ['Specimen']),
  ],
  sort: { by: 'date', elements: ['effectiveDateTime', 'effectivePeriod.start', 'effectiveInstant', 'issued'] },
  words: 'les résultats et les mesures',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
