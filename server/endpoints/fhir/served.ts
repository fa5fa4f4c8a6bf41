/** What the FHIR door serves, read off the files of the types: routes and the CapabilityStatement are made from it. */
import type { Resource } from '@medplum/fhirtypes';
import type { ServedType } from '../../../profiles/capability-statement.ts';
import { Fault } from '../../../profiles/fault.ts';
import { searchParametersOf } from '../../../profiles/search/parameters.ts';
import { referrersOf } from '../../../profiles/search/referrers.ts';
import type { DefinedOperation, Interaction } from '../../../profiles/types/fhir-type.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../../profiles/types/visibility.ts';
import { HTTP_CODE } from '../http/outcome.ts';

/** Types and interactions. A type that is absent here is answered 404, an interaction 405. */
export const SERVED: ReadonlyMap<StoredType, ServedType> = new Map(
  STORED_TYPES.filter((type) => fhirType(type).interactions.length > 0).map((type) => [type, servedOf(type)]),
);

function servedOf(type: StoredType): ServedType {
  const { interactions, conditional, operations, standsApart } = fhirType(type);
  const includes = standsApart === true ? [] : includesOf(type);
  const revIncludes = interactions.includes('search-type') ? referrersOf(type) : [];
  return {
    interactions,
    ...(includes.length === 0 ? {} : { includes }),
    ...(revIncludes.length === 0 ? {} : { revIncludes }),
    conditional: conditional ?? [],
    ...(operations === undefined ? {} : { operations: operations.map((operation) => operationOf(type, operation)) }),
  };
}

/** Every reference that is searched can be included. */
function includesOf(type: StoredType): string[] {
  return searchParametersOf(type).flatMap((parameter) => (parameter.type === 'reference' ? [parameter.code] : []));
}

function operationOf(type: StoredType, operation: string | DefinedOperation): DefinedOperation {
  if (typeof operation !== 'string') return operation;
  return { name: operation, definition: `urn:passerelle:OperationDefinition:${type}-${operation}` };
}

/** What is served of a type, or undefined. */
export function servedType(type: StoredType): ServedType | undefined {
  return SERVED.get(type);
}

/**
 * Requires that an interaction is served on a type.
 * @throws {Fault} not-found - the type is not served
 * @throws {Fault} not-supported (method-not-allowed) - the interaction is not
 */
export function requireServed(type: StoredType, interaction: Interaction): void {
  const table = servedType(type);
  if (table === undefined) throw new Fault('not-found', `Resource type ${type} is not served here`);
  if (!table.interactions.includes(interaction))
    throw methodNotAllowed(`The interaction ${interaction} is not served on ${type}`);
}

/**
 * Requires that a write by a condition is served on a type; a patch is where an update is.
 * @throws {Fault} not-supported (method-not-allowed)
 */
export function requireConditional(type: StoredType, interaction: 'create' | 'update' | 'patch' | 'delete'): void {
  const write = interaction === 'patch' ? 'update' : interaction;
  if (servedType(type)?.conditional.includes(write) !== true)
    throw methodNotAllowed(`Conditional ${interaction} is not served on ${type}`);
}

function methodNotAllowed(message: string): Fault {
  return new Fault('not-supported', message, { protocolCode: HTTP_CODE.methodNotAllowed });
}

/** Narrows a resource to the type of its address. @throws {Fault} invalid - it is of another type */
export function resourceOfType(resource: Resource, type: StoredType): Resource {
  if (resource.resourceType === type) return resource;
  throw new Fault('invalid', `The resource is not a ${type}`, { expression: 'resourceType' });
}
