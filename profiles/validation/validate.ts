/** Validation of resources against R4: a walk with the general rules, the compiled schema, then the invariants. */
import type { Resource } from '@medplum/fhirtypes';
import { comparedUri } from '../codes.ts';
import { Fault } from '../fault.ts';
import { checkInvariants } from './invariants.ts';
import { primitiveOfPattern } from './primitive-types.ts';
import { isJsonObject, toFhirPath, walkResource } from './resource-walk.ts';
import type { JsonObject } from './resource-walk.ts';

/** What a compiled JSON schema says of its first failure. */
export type SchemaError = {
  /** JSON pointer of the element. */
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
};

/** A compiled JSON schema of one resource type; `errors` is of the last call. */
export type CompiledValidator = {
  (data: unknown): boolean;
  errors?: readonly SchemaError[] | null;
};

/** Returns the resource, URIs as they are compared (comparedUri), or throws what {@link createValidator} says. */
export type Validate = (resource: unknown) => Resource;

/**
 * Makes the validator from compiled schemas by resource type. It checks structure, cardinality, primitive formats,
 * required bindings and invariants of base R4; not profiles, other bindings or the type of a reference's target.
 * Messages name the FHIRPath and what is expected there, never what was found.
 *
 * Duplicate names in JSON text are gone once it is parsed; the reader of the text must refuse them.
 * @throws {Fault} invalid - the resource breaks a rule, or is of a type without schema; `expression` is the FHIRPath
 */
export function createValidator(validators: Readonly<Record<string, CompiledValidator>>): Validate {
  return (resource) => {
    const type = typeOf(resource);
    const validator = type === undefined || !Object.hasOwn(validators, type) ? undefined : validators[type];
    if (!isJsonObject(resource) || type === undefined || validator === undefined) {
      throw new Fault('invalid', 'resourceType must be a resource type that is served here', {
        expression: 'resourceType',
      });
    }
    const found: { readonly resource: JsonObject; readonly path: string }[] = [];
    walkResource(resource, type, (inner, path) => found.push({ resource: inner, path }));
    if (!validator(resource)) throw toFault(type, validator.errors?.[0]);
    for (const inner of found) checkInvariants(inner.resource, inner.path);
    // The schema of its type has just been satisfied.
    return (isCompared(resource) ? resource : withComparedUris(resource)) as Resource & JsonObject;
  };
}

/** The same JSON with every URI of an OID as it is compared. */
function withComparedUris(value: unknown): unknown {
  if (typeof value === 'string') return comparedUri(value);
  if (Array.isArray(value)) return value.map(withComparedUris);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withComparedUris(one)]));
}

/** Nearly all that is sent is: it is looked at, and not made again. */
function isCompared(value: unknown): boolean {
  if (typeof value === 'string') return comparedUri(value) === value;
  if (Array.isArray(value)) return value.every(isCompared);
  if (!isJsonObject(value)) return true;
  for (const name in value) if (!isCompared(value[name])) return false;
  return true;
}

function typeOf(resource: unknown): string | undefined {
  const type = isJsonObject(resource) ? resource['resourceType'] : undefined;
  return typeof type === 'string' ? type : undefined;
}

function toFault(type: string, error: SchemaError | undefined): Fault {
  if (error === undefined) return new Fault('invalid', `${type} does not satisfy its schema`, { expression: type });
  const segments = error.instancePath.split('/').slice(1).map(fromPointer);
  const path = toFhirPath(type, [...segments, ...addedSegment(error)]);
  return new Fault('invalid', `${path} ${expectationOf(error)}`, { expression: path });
}

function fromPointer(segment: string): string | number {
  return /^\d+$/.test(segment) ? Number(segment) : segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

// These keywords are reported on the owner of the property that they are about.
function addedSegment({ keyword, params, schemaPath }: SchemaError): readonly string[] {
  switch (keyword) {
    case 'required':
    case 'dependencies':
      return [String(params['missingProperty'])];
    case 'additionalProperties':
      return [String(params['additionalProperty'])];
    case 'not':
      return /\/dependencies\/(\w+)\/not$/.exec(schemaPath)?.slice(1) ?? [];
    default:
      return [];
  }
}

function expectationOf({ keyword, params }: SchemaError): string {
  switch (keyword) {
    case 'required':
      return 'is required';
    case 'dependencies':
      return `is required where ${String(params['property'])} is`;
    case 'additionalProperties':
      return 'is not an element of this type';
    case 'not':
      return 'must not stand beside another element that is here';
    case 'enum':
      return `must be one of ${listOf(params['allowedValues'])}`;
    case 'pattern':
      return `must have the form of ${primitiveOfPattern(String(params['pattern'])) ?? 'its type'}`;
    case 'type':
      return `must be of JSON type ${String(params['type'])}`;
    case 'minimum':
    case 'maximum':
      return `must be ${String(params['comparison'])} ${String(params['limit'])}`;
    case 'minItems':
    case 'minProperties':
      return 'must not be empty';
    case 'discriminator':
      return 'must be of a resource type that is served here';
    default:
      return 'does not satisfy the schema of its type';
  }
}

function listOf(values: unknown): string {
  const list: readonly unknown[] = Array.isArray(values) ? values : [];
  return `${list.slice(0, 20).join(', ')}${list.length > 20 ? ' …' : ''}`;
}
