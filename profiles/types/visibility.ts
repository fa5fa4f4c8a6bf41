/**
 * The class of every resource type that can be stored. The class says how a row of that type becomes visible;
 * a type that is not in this table cannot be stored.
 */
import { Fault } from '../fault.ts';

/**
 * - `directory`: any token of a client that may read the type;
 * - `patient`: a person's demographics, visible under a live right to the record or to the Patient itself;
 * - `item`: clinical content with a confidentiality label and rights of its own;
 * - `part`: visible as the item it belongs to;
 * - `own`: visible to the principals that its writer named.
 */
export type Visibility = 'directory' | 'patient' | 'item' | 'part' | 'own';

/** Every type of the product and its class. */
export const VISIBILITY = {
  Organization: 'directory',
  Practitioner: 'directory',
  PractitionerRole: 'directory',
  Endpoint: 'directory',
  Patient: 'patient',
  ImagingStudy: 'item',
  DiagnosticReport: 'item',
  DocumentReference: 'item',
  Binary: 'part',
  Consent: 'own',
  Task: 'own',
  Communication: 'own',
  AuditEvent: 'own',
} as const satisfies Record<string, Visibility>;

/** A type that the product stores and serves. */
export type StoredType = keyof typeof VISIBILITY;

/** Whether a name is a type that the product stores. */
export function isStoredType(name: string): name is StoredType {
  return Object.hasOwn(VISIBILITY, name);
}

/**
 * Narrows a resource type's name.
 * @throws {Fault} not-found - the name is no type that this server stores
 */
export function storedType(name: string): StoredType {
  if (!isStoredType(name)) throw new Fault('not-found', `Resource type ${name.slice(0, 40)} is not served here`);
  return name;
}
