/** Where a resource comes from: who made it, when, from what. */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { date, patient, reference, token } from './search-parameter.ts';

/** Provenance. @see https://hl7.org/fhir/R4/provenance.html */
export const Provenance = {
  // It is seen as its target is, which the flow that writes it gives as its parent.
  class: 'part',
  label: 'normal',
  release: 'with-report',
  // A sender's could name targets of several persons. Until one rule says which of them it belongs to, none is taken.
  writers: 'server',
  interactions: READ_AND_SEARCH,
  parameters: [
    reference('target', 'Provenance-target', 'any'),
    patient('Provenance-patient', 'Provenance.target', { needsType: true }),
    date('recorded', 'Provenance-recorded'),
    date('when', 'Provenance-when'),
    reference('agent', 'Provenance-agent', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'Device',
      'RelatedPerson',
    ]),
    token('agent-role', 'Provenance-agent-role'),
    token('agent-type', 'Provenance-agent-type'),
    reference('entity', 'Provenance-entity', 'any'),
    reference('location', 'Provenance-location', ['Location']),
    token('signature-type', 'Provenance-signature-type'),
  ],
  sort: { by: 'recorded', elements: ['recorded'] },
  words: 'l’origine des informations',
  erasedWithStudy: 'with-its-item',
} as const satisfies FhirType;
