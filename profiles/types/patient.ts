/** Who a person is, as an establishment feeds it. */
import { EXTENSION } from '../codes.ts';
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { booleanToken, codeToken, date, own, string, token } from './search-parameter.ts';

const OPEN_IDENTIFIERS = `Patient.identifier.where(extension.where(url = '${EXTENSION.saidBy}').exists().not())`;

/**
 * Patient. @see https://hl7.org/fhir/R4/patient.html; IHE PIXm ITI-104, which updates it by its identifier, and ITI-83;
 * IHE PDQm ITI-78 and ITI-119, which search it
 */
export const Patient = {
  class: 'patient',
  // The row is itself what others name as their subject.
  label: 'normal',
  release: 'at-once',
  writers: 'source',
  interactions: [...READ_AND_SEARCH, 'create', 'update', 'patch'],
  conditional: ['create', 'update'],
  operations: [
    'break-glass',
    'withdraw',
    'reconsent',
    'presence-code',
    'redeem-presence-code',
    'support-access',
    'request-erasure',
    'cancel-erasure',
    'set-account',
    'data-subject-request',
    'portability',
    'join',
    'separate',
    { name: 'ihe-pix', definition: 'https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix' },
    'who-can-access',
    'access-history',
    { name: 'match', definition: 'https://profiles.ihe.net/ITI/PDQm/OperationDefinition/PDQmMatch' },
  ],
  parameters: [
    // What only some readers may know is not found by everybody: the store looks at what each sees.
    token('identifier', 'Patient-identifier', { expression: OPEN_IDENTIFIERS }),
    own('Patient', 'identifier-value', 'string', `${OPEN_IDENTIFIERS}.value`),
    string('family', 'individual-family'),
    string('given', 'individual-given'),
    string('name', 'Patient-name'),
    date('birthdate', 'individual-birthdate'),
    codeToken('gender', 'individual-gender', 'administrative-gender'),
    booleanToken('active', 'Patient-active'),
    token('telecom', 'individual-telecom'),
    string('address', 'individual-address'),
    string('address-city', 'individual-address-city'),
    string('address-country', 'individual-address-country'),
    string('address-postalcode', 'individual-address-postalcode'),
    string('address-state', 'individual-address-state'),
    // Its definition names an extension that does not exist; PDQm means the one that does.
    {
      code: 'mothersMaidenName',
      type: 'string',
      definition: 'http://hl7.org/fhir/SearchParameter/patient-extensions-Patient-mothersMaidenName',
      expression: `Patient.extension.where(url = '${EXTENSION.mothersMaidenName}').value`,
    },
  ],
  sort: { by: '_lastUpdated', elements: [] },
  searchedAs: 'iti-78',
  words: 'l’identité et les coordonnées',
  erasedWithStudy: 'kept',
  hooks: { write: 'identity' },
} as const satisfies FhirType;
