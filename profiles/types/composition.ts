/** The table of contents of a structured document. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, patient, reference, string, token } from './search-parameter.ts';

/** Composition. @see https://hl7.org/fhir/R4/composition.html */
export const Composition = {
  class: 'item',
  subject: 'subject',
  // As of every item, the label of the row is in `meta.security`; `confidentiality` is searched and decides nothing.
  label: 'own',
  // What its author has completed.
  release: ['final', 'amended'],
  writers: 'source',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'clinical-identifier'),
    patient('clinical-patient', 'Composition.subject', { needsType: true }),
    reference('subject', 'Composition-subject', 'any'),
    date('date', 'clinical-date'),
    codeToken('status', 'Composition-status', 'composition-status'),
    token('type', 'clinical-type'),
    token('category', 'Composition-category'),
    string('title', 'Composition-title'),
    token('confidentiality', 'Composition-confidentiality', {
      impliedSystem: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
    }),
    reference('author', 'Composition-author', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'Device',
      'RelatedPerson',
    ]),
    reference('attester', 'Composition-attester', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'RelatedPerson',
    ]),
    token('context', 'Composition-context'),
    date('period', 'Composition-period'),
    reference('encounter', 'clinical-encounter', ['Encounter']),
    reference('entry', 'Composition-entry', 'any'),
    token('section', 'Composition-section'),
    token('related-id', 'Composition-related-id'),
    reference('related-ref', 'Composition-related-ref', ['Composition']),
  ],
  sort: { by: 'date', elements: ['date'] },
  words: 'les documents structurés',
  erasedWithStudy: 'kept',
} as const satisfies FhirType;
