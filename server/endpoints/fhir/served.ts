/** What the FHIR door serves, as a table: routes and the CapabilityStatement are both made from it. */
import type { ServedType } from '../../../profiles/capability-statement.ts';
import { searchParametersOf } from '../../../profiles/search/parameters.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';

const readAndSearch = ['read', 'vread', 'search-type'] as const;
/** Every reference that is searched can be included. */
const includesOf = (type: StoredType): string[] =>
  searchParametersOf(type).flatMap((parameter) => (parameter.type === 'reference' ? [parameter.code] : []));
const operation = (name: string) => ({ name, definition: `urn:passerelle:OperationDefinition:Patient-${name}` });

/** Types and interactions. A type that is absent here is answered 404, an interaction 405. */
export const SERVED = {
  Patient: {
    interactions: [...readAndSearch, 'create', 'update'],
    conditionalCreate: true,
    conditionalUpdate: true,
    operations: [operation('break-glass'), operation('withdraw'), operation('reconsent')],
  },
  ImagingStudy: { interactions: readAndSearch, includes: includesOf('ImagingStudy') },
  DiagnosticReport: { interactions: [...readAndSearch, 'create'], includes: includesOf('DiagnosticReport') },
  DocumentReference: { interactions: readAndSearch, includes: includesOf('DocumentReference') },
  Binary: { interactions: ['read'] },
  Consent: { interactions: [...readAndSearch, 'create', 'update'], includes: includesOf('Consent') },
  Organization: { interactions: readAndSearch },
  Practitioner: { interactions: readAndSearch },
  PractitionerRole: { interactions: readAndSearch, includes: includesOf('PractitionerRole') },
  Endpoint: { interactions: readAndSearch, includes: includesOf('Endpoint') },
  Communication: { interactions: readAndSearch },
  // Its events stand apart: they are joined to no other row.
  AuditEvent: { interactions: ['read', 'search-type'] },
} as const satisfies Partial<Record<StoredType, ServedType>>;

/** What is served of a type, or undefined. */
export function servedType(type: StoredType): ServedType | undefined {
  const table: Partial<Record<StoredType, ServedType>> = SERVED;
  return table[type];
}
