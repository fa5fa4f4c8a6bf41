/** What the FHIR door serves, read off the files of the types: routes and the CapabilityStatement are made from it. */
import type { ServedType } from '../../../profiles/capability-statement.ts';
import { searchParametersOf } from '../../../profiles/search/parameters.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../../profiles/types/visibility.ts';

/** Types and interactions. A type that is absent here is answered 404, an interaction 405. */
export const SERVED: ReadonlyMap<StoredType, ServedType> = new Map(
  STORED_TYPES.filter((type) => fhirType(type).interactions.length > 0).map((type) => [type, servedOf(type)]),
);

function servedOf(type: StoredType): ServedType {
  const { interactions, conditional, operations, standsApart } = fhirType(type);
  const includes = standsApart === true ? [] : includesOf(type);
  return {
    interactions,
    ...(includes.length === 0 ? {} : { includes }),
    ...(conditional?.includes('create') === true ? { conditionalCreate: true } : {}),
    ...(conditional?.includes('update') === true ? { conditionalUpdate: true } : {}),
    ...(operations === undefined ? {} : { operations: operations.map((name) => operationOf(type, name)) }),
  };
}

/** Every reference that is searched can be included. */
function includesOf(type: StoredType): string[] {
  return searchParametersOf(type).flatMap((parameter) => (parameter.type === 'reference' ? [parameter.code] : []));
}

function operationOf(type: StoredType, name: string) {
  return { name, definition: `urn:passerelle:OperationDefinition:${type}-${name}` };
}

/** What is served of a type, or undefined. */
export function servedType(type: StoredType): ServedType | undefined {
  return SERVED.get(type);
}
