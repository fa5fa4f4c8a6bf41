/** Who cares for a person together. Those whom she takes close to her record, by its category, see it. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, token } from './search-parameter.ts';

/** CareTeam. @see https://hl7.org/fhir/R4/careteam.html */
export const CareTeam = {
  class: 'item',
  actor: 'team',
  subject: 'subject',
  label: 'own',
  // She knows who cares for her.
  release: 'at-once',
  writers: 'source-or-patient',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'CareTeam.subject'),
    reference('subject', 'CareTeam-subject', ['Patient', 'Group']),
    date('date', 'clinical-date'),
    codeToken('status', 'CareTeam-status', 'care-team-status'),
    token('category', 'CareTeam-category'),
    reference('encounter', 'CareTeam-encounter', ['Encounter']),
    reference('participant', 'CareTeam-participant', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'CareTeam',
      'RelatedPerson',
    ]),
  ],
  sort: { by: 'date', elements: ['period.start'] },
  words: 'les équipes de soins',
  erasedWithStudy: 'kept',
  hooks: { write: 'circle' },
} as const satisfies FhirType;
