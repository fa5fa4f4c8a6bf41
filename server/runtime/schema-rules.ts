/** What the published FHIR JSON schema leaves out and JSON schema can say. */
import type { StructureDefinition } from '@medplum/fhirtypes';
import type { ObjectSchema, Schema } from './schema-types.ts';

/** Invariants of R4 as keywords, by definition. Their keys: att-1, cpt-2, org-1, pat-1, ppc-1, sev-1. */
export const RULES: Readonly<Record<string, Schema>> = {
  Attachment: { dependencies: { data: ['contentType'] } },
  ContactPoint: { dependencies: { value: ['system'] } },
  Organization: { anyOf: [{ required: ['identifier'] }, { required: ['name'] }] },
  Patient_Contact: {
    anyOf: ['name', 'telecom', 'address', 'organization'].map((name) => ({ required: [name] })),
  },
  Consent: { anyOf: [{ required: ['policyRule'] }, { required: ['policy'] }] },
  AuditEvent_Entity: { dependencies: { name: { not: { required: ['query'] } } } },
};

// More choices than this (the open value[x]) are left to the walk over the resource.
const MAX_PAIRED_CHOICES = 8;

type Definitions = Record<string, Schema>;

/**
 * Adds to the schema what the snapshots say: which elements are required, primitives too (the published schema skips
 * these, as an extension may stand for the value), and that a choice has one value.
 */
export function addSnapshotRules(definitions: Definitions, structures: readonly StructureDefinition[]): void {
  for (const { snapshot } of structures) {
    for (const { path = '', min = 0, type } of snapshot?.element ?? []) {
      const segments = path.split('.');
      const name = segments.pop();
      const owner = name === undefined ? undefined : findOwner(definitions, segments);
      if (owner === undefined || name === undefined) continue;
      const names = namesOf(name, (type ?? []).map(({ code }) => code ?? '')).filter((key) => key in owner.properties);
      if (min > 0) requireOneOf(owner, names);
      if (names.length <= MAX_PAIRED_CHOICES) excludePairs(owner, names);
    }
  }
}

function findOwner(definitions: Definitions, segments: readonly string[]): ObjectSchema | undefined {
  const [type = '', ...rest] = segments;
  let owner = definitions[type];
  for (const segment of rest) {
    const property = owner === undefined ? undefined : propertiesOf(owner)?.[segment];
    owner = property === undefined ? undefined : definitions[targetName(property)];
  }
  return owner !== undefined && propertiesOf(owner) !== undefined ? (owner as ObjectSchema) : undefined;
}

function propertiesOf(schema: Schema): Record<string, Schema> | undefined {
  return schema['properties'] as Record<string, Schema> | undefined;
}

function targetName(property: Schema): string {
  const reference = (property['items'] as Schema | undefined)?.['$ref'] ?? property['$ref'];
  return typeof reference === 'string' ? reference.replace('#/definitions/', '') : '';
}

function namesOf(name: string, codes: readonly string[]): readonly string[] {
  if (!name.endsWith('[x]')) return [name];
  return codes.map((code) => name.slice(0, -3) + code.charAt(0).toUpperCase() + code.slice(1));
}

function requireOneOf(owner: ObjectSchema, names: readonly string[]): void {
  const required = (owner['required'] ?? []) as readonly string[];
  const alternatives = names.flatMap((name) => (`_${name}` in owner.properties ? [name, `_${name}`] : [name]));
  const [only, ...others] = alternatives;
  if (only === undefined || required.includes(only)) return;
  if (others.length === 0) owner['required'] = [...required, only];
  else addTo(owner, { anyOf: alternatives.map((name) => ({ required: [name] })) });
}

function excludePairs(owner: ObjectSchema, names: readonly string[]): void {
  if (names.length < 2) return;
  const dependencies: Record<string, Schema> = {};
  for (const [index, name] of names.entries()) {
    const others = names.slice(index + 1);
    if (others.length > 0) dependencies[name] = { not: { anyOf: others.map((other) => ({ required: [other] })) } };
  }
  addTo(owner, { dependencies });
}

function addTo(owner: ObjectSchema, rule: Schema): void {
  owner['allOf'] = [...((owner['allOf'] ?? []) as readonly Schema[]), rule];
}
