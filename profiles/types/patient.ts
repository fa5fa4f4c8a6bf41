/** Who a person is, as an establishment feeds it. */
import { EXTENSION } from '../codes.ts';
import { READ_AND_SEARCH, type FhirType } from './fhir-type.ts';
import { booleanToken, codeToken, date, own, string, token } from './search-parameter.ts';

const OPEN_IDENTIFIERS = `Patient.identifier.where(extension.where(url = '${EXTENSION.saidBy}').exists().not())`;

/** Patient. @see https://hl7.org/fhir/R4/patient.html and IHE PIXm ITI-104, which updates it by its identifier */
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
    { name: 'ihe-pix', definition: 'https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix' },
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
  ],
  sort: { by: '_lastUpdated', elements: [] },
  words: 'l’identité et les coordonnées',
  erasedWithStudy: 'kept',
  hooks: { write: 'identity' },
} as const satisfies FhirType;
