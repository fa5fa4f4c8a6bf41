/** What the FHIR door serves, as a table: routes and the CapabilityStatement are both made from it. */
import type { ServedType } from '../../../profiles/capability-statement.ts';
import type { StoredType } from '../../../profiles/visibility.ts';

const readAndSearch = ['read', 'vread', 'search-type'] as const;
const operation = (name: string) => ({ name, definition: `urn:passerelle:OperationDefinition:Patient-${name}` });

/** Types and interactions. A type that is absent here is answered 404, an interaction 405. */
export const SERVED = {
  Patient: {
    interactions: [...readAndSearch, 'create', 'update'],
    conditionalCreate: true,
    conditionalUpdate: true,
    operations: [operation('break-glass'), operation('withdraw'), operation('reconsent')],
  },
  ImagingStudy: { interactions: readAndSearch, includes: ['patient', 'endpoint'] },
  DiagnosticReport: { interactions: [...readAndSearch, 'create'], includes: ['patient'] },
  DocumentReference: { interactions: readAndSearch, includes: ['patient'] },
  Binary: { interactions: ['read'] },
  Consent: { interactions: [...readAndSearch, 'create'], includes: ['patient'] },
  Organization: { interactions: readAndSearch },
  Practitioner: { interactions: readAndSearch },
  PractitionerRole: { interactions: readAndSearch },
  Endpoint: { interactions: readAndSearch },
  Communication: { interactions: ['read', 'vread'] },
  AuditEvent: { interactions: ['read', 'search-type'] },
} as const satisfies Partial<Record<StoredType, ServedType>>;

/** What is served of a type, or undefined. */
export function servedType(type: StoredType): ServedType | undefined {
  const table: Partial<Record<StoredType, ServedType>> = SERVED;
  return table[type];
}
