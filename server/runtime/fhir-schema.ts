/**
 * The FHIR JSON schema, made strict and small: cut to our types, and with what JSON schema can say but the published
 * one does not (required primitives, one value a choice, real days, no empty parts).
 */
import { PRIMITIVE_TYPES } from '../../profiles/validation/primitive-types.ts';
import { isForeign } from './prune-definitions.ts';
import { RULES } from './schema-rules.ts';
import type { ObjectSchema, Schema } from './schema-types.ts';

/** Identifier of the schema that {@link buildSchema} makes. */
export const SCHEMA_ID = 'passerelle:fhir';

type Definitions = Record<string, Schema>;

/**
 * Builds the schema: `definitions` holds every given resource type and what they reach. A resource inside another is
 * told by its `resourceType` and must be one of `types`.
 */
export function buildSchema(published: Definitions, types: readonly string[]): Schema & { definitions: Definitions } {
  const definitions: Definitions = { ResourceList: resourceList(types) };
  const pending = [...types];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (definitions[name] !== undefined) continue;
    const built = buildDefinition(name, published[name]);
    definitions[name] = built;
    pending.push(...referencesOf(built));
  }
  return { $id: SCHEMA_ID, definitions };
}

function resourceList(types: readonly string[]): Schema {
  return {
    type: 'object',
    required: ['resourceType'],
    discriminator: { propertyName: 'resourceType' },
    oneOf: types.map((name) => ({ $ref: `#/definitions/${name}` })),
  };
}

function buildDefinition(name: string, published: Schema | undefined): Schema {
  const primitive = PRIMITIVE_TYPES[name];
  if (primitive !== undefined) return { ...primitive };
  if (published === undefined) throw new Error(`The FHIR schema lacks ${name}`);
  if (!isObjectSchema(published)) return withoutDescription(published);
  const properties: Record<string, Schema> = {};
  for (const [key, schema] of Object.entries(published.properties)) {
    if (!isForeign(`${name}.${key}`) && !isForeign(`${name}.${key.slice(1)}`)) {
      properties[key] = buildProperty(key, schema, published.properties);
    }
  }
  return {
    type: 'object',
    minProperties: 1,
    properties,
    required: published['required'] ?? [],
    additionalProperties: false,
    ...RULES[name],
  };
}

function buildProperty(key: string, schema: Schema, siblings: Record<string, Schema>): Schema {
  const { items } = schema;
  if (schema['type'] !== 'array' || !isSchema(items)) return withoutDescription(schema);
  const item = withoutDescription(items);
  // Arrays of primitives and of their extensions run side by side; null fills the gaps.
  const isTwin = key.startsWith('_') || siblings[`_${key}`] !== undefined;
  return { type: 'array', minItems: 1, items: isTwin ? { if: { type: 'null' }, else: item } : item };
}

function withoutDescription(schema: Schema): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== 'description'));
}

function referencesOf(schema: unknown): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap(referencesOf);
  if (!isSchema(schema)) return [];
  return Object.entries(schema).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value.replace('#/definitions/', '')] : referencesOf(value),
  );
}

/** Narrows a JSON value to an object. */
export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a definition is one of an object. */
export function isObjectSchema(schema: Schema): schema is ObjectSchema {
  return isSchema(schema['properties']);
}
