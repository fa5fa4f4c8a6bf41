/**
 * The types that can be stored, and the class of each. The class says how a row of that type becomes visible; a type
 * that has no file in this folder cannot be stored.
 */
import { Fault } from '../fault.ts';
import type { FhirType, Visibility } from './fhir-type.ts';
import { TYPES } from './types.ts';

export type { Visibility } from './fhir-type.ts';

/** A type that the product stores. */
export type StoredType = keyof typeof TYPES;

/** The types of which a member of their file has one of some values, as `TypesWith<'class', 'directory'>`. */
export type TypesWith<Member extends keyof FhirType, Value> = {
  [Type in StoredType]: (typeof TYPES)[Type] extends { readonly [M in Member]: Value } ? Type : never;
}[StoredType];

/** Every stored type, by name. */
// Object.keys widens to string; the keys are those of the list.
export const STORED_TYPES = Object.keys(TYPES) as readonly StoredType[];

/** The file of a type. */
export function fhirType(type: StoredType): FhirType {
  return TYPES[type];
}

/** Every type of the product and its class. */
export const VISIBILITY = Object.fromEntries(STORED_TYPES.map((type) => [type, TYPES[type].class])) as Readonly<
  Record<StoredType, Visibility>
>;

/** Whether a name is a type that the product stores. */
export function isStoredType(name: string): name is StoredType {
  return Object.hasOwn(TYPES, name);
}

/**
 * Narrows a resource type's name.
 * @throws {Fault} not-found - the name is no type that this server stores
 */
export function storedType(name: string): StoredType {
  if (!isStoredType(name)) throw new Fault('not-found', `Resource type ${name.slice(0, 40)} is not served here`);
  return name;
}
