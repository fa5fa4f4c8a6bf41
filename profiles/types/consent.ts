/** What a person decided of her record: whom she declared, an emergency, a withdrawal. */
import { isMaskedAsExam } from '../consent/giving/masked-as-exam.ts';
import { isShare } from '../consent/giving/is-share.ts';
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { codeToken, date, reference, token } from './search-parameter.ts';

/** Consent. @see https://hl7.org/fhir/R4/consent.html */
export const Consent = {
  class: 'own',
  names: 'patient',
  subject: 'patient',
  label: 'normal',
  // What it shares may be private, or masked from them.
  hidesFromRepresentatives: (consent: object) => isShare(consent) || isMaskedAsExam(consent),
  release: 'at-once',
  writers: 'source-or-patient',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  operations: ['revoke-share'],
  parameters: [
    reference('patient', 'clinical-patient', ['Patient']),
    codeToken('status', 'Consent-status', 'consent-state-codes'),
    date('date', 'clinical-date'),
    token('category', 'Consent-category'),
    token('identifier', 'clinical-identifier'),
    reference('actor', 'Consent-actor', [
      'Practitioner',
      'PractitionerRole',
      'Organization',
      'Patient',
      'CareTeam',
      'Device',
      'Group',
      'RelatedPerson',
    ]),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les choix de partage',
  erasedWithStudy: 'kept',
  hooks: { write: 'rights' },
} as const satisfies FhirType;
