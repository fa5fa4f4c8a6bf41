/**
 * Somebody of the patient's own: family, a person of trust. Of these who represents her before the law, by the
 * relationship, sees her record.
 */
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { booleanToken, codeToken, date, patient, string, token } from './search-parameter.ts';

/** RelatedPerson. @see https://hl7.org/fhir/R4/relatedperson.html */
export const RelatedPerson = {
  class: 'patient',
  subject: 'patient',
  label: 'normal',
  release: 'at-once',
  writers: 'source-or-patient',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch', 'delete'],
  conditional: ['create', 'update', 'delete'],
  parameters: [
    token('identifier', 'RelatedPerson-identifier'),
    patient('RelatedPerson-patient', 'RelatedPerson.patient'),
    booleanToken('active', 'RelatedPerson-active'),
    string('name', 'RelatedPerson-name'),
    date('birthdate', 'individual-birthdate'),
    codeToken('gender', 'individual-gender', 'administrative-gender'),
    token('relationship', 'RelatedPerson-relationship'),
    token('telecom', 'individual-telecom'),
    token('email', 'individual-email'),
    token('phone', 'individual-phone'),
    string('address', 'individual-address'),
    string('address-city', 'individual-address-city'),
    string('address-country', 'individual-address-country'),
    string('address-postalcode', 'individual-address-postalcode'),
    string('address-state', 'individual-address-state'),
    codeToken('address-use', 'individual-address-use', 'address-use'),
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'les proches',
  erasedWithStudy: 'kept',
  hooks: { write: 'representative' },
} as const satisfies FhirType;
