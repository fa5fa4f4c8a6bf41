/** Values of FHIR data types for example resources: invented, valid, the same at each call. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ElementDefinitionType } from '@medplum/fhirtypes';
import { definitionsFolder } from '../../../server/runtime/cache-key.ts';

/** A JSON object that is being made. */
export type Json = { [member: string]: unknown };

/** Finds the reference to a resource of one of some types; undefined when there is none. */
export type FindTarget = (types: readonly string[]) => string | undefined;

type SchemaProperty = {
  readonly enum?: readonly string[];
  readonly $ref?: string;
  readonly items?: SchemaProperty;
};
type Schema = {
  readonly definitions: Readonly<Record<string, { readonly properties?: Readonly<Record<string, SchemaProperty>> }>>;
};

const STRUCTURE = 'http://hl7.org/fhir/StructureDefinition/';
const NAME = 'Example';
const MOMENT = '2024-03-05T10:20:30Z';

const PRIMITIVES: Readonly<Record<string, unknown>> = {
  base64Binary: 'RXhhbXBsZQ==',
  boolean: true,
  canonical: 'http://example.org/canonical/example',
  code: 'example',
  date: '2024-03-05',
  dateTime: MOMENT,
  decimal: 1.5,
  id: 'example',
  instant: MOMENT,
  integer: 1,
  markdown: NAME,
  oid: 'urn:oid:1.2.3',
  positiveInt: 1,
  string: NAME,
  time: '10:20:30',
  unsignedInt: 1,
  uri: 'urn:example:uri',
  url: 'http://example.org/url',
  uuid: 'urn:uuid:11111111-1111-4111-8111-111111111111',
};

const IDENTIFIER = { system: 'urn:example:system', value: 'example' };
const CODING = { system: 'urn:example:codes', code: 'example', display: NAME };
const CONCEPT = { coding: [CODING], text: NAME };
const PERIOD = { start: '2024-03-05', end: '2024-03-06' };
const QUANTITY = { value: 1, unit: 'mm', system: 'http://unitsofmeasure.org', code: 'mm' };
const DURATION = { value: 1, unit: 'h', system: 'http://unitsofmeasure.org', code: 'h' };

const COMPLEX: Readonly<Record<string, readonly unknown[]>> = {
  Address: [{ use: 'work', line: ['1'], city: NAME, state: NAME, postalCode: '00000', country: NAME }],
  Age: [{ ...QUANTITY, unit: 'a', code: 'a' }],
  Annotation: [{ text: NAME }],
  Attachment: [{ contentType: 'text/plain', creation: MOMENT, title: NAME }],
  CodeableConcept: [CONCEPT],
  Coding: [CODING],
  ContactPoint: ['email', 'phone'].map((system) => ({ system, value: `example.${system}`, use: 'work' })),
  Duration: [DURATION],
  HumanName: [{ use: 'official', family: NAME, given: [NAME] }],
  Identifier: [IDENTIFIER],
  Money: [{ value: 1, currency: 'EUR' }],
  Period: [PERIOD],
  Quantity: [QUANTITY],
  SimpleQuantity: [QUANTITY],
  Range: [{ low: QUANTITY, high: QUANTITY }],
  Ratio: [{ numerator: QUANTITY, denominator: QUANTITY }],
  SampledData: [{ origin: QUANTITY, period: 1, dimensions: 1, data: '1 2' }],
  Signature: [{ type: [CODING], when: MOMENT, who: { identifier: IDENTIFIER } }],
  Timing: [{ event: [MOMENT] }],
};

let schema: Schema | undefined;

/**
 * The values of one type of an element: one for each target of a reference, and for a code the first that is bound.
 * None for types that no value is written for, and for parts of their own.
 * @param path - names below the resource, that of a choice with `[x]`
 */
export function valuesOf(
  resourceType: string,
  path: readonly string[],
  { code = '', targetProfile = [] }: ElementDefinitionType,
  findTarget: FindTarget,
): readonly unknown[] {
  if (code === 'Reference') return referencesTo(targetProfile, findTarget);
  if (code === 'code') return [boundCode(resourceType, path) ?? PRIMITIVES['code']];
  const primitive = PRIMITIVES[code];
  return primitive === undefined ? (COMPLEX[code] ?? []) : [primitive];
}

function referencesTo(profiles: readonly string[], findTarget: FindTarget): readonly Json[] {
  const types = profiles.map((profile) => profile.replace(STRUCTURE, ''));
  const wanted = types.length === 0 || types.includes('Resource') ? ['Patient'] : types;
  const found = wanted.flatMap((type) => findTarget([type]) ?? []);
  return found.map((reference) => ({ reference, identifier: IDENTIFIER, display: NAME }));
}

/** The first code of a required binding, as the published JSON schema lists them. */
function boundCode(resourceType: string, path: readonly string[]): string | undefined {
  let name = resourceType;
  let property: SchemaProperty | undefined;
  for (const member of path) {
    property = publishedSchema().definitions[name]?.properties?.[member];
    name = (property?.items?.$ref ?? property?.$ref ?? '').split('/').at(-1) ?? '';
  }
  return property?.enum?.[0] ?? property?.items?.enum?.[0];
}

function publishedSchema(): Schema {
  // The file of a pinned package, whose shape is that of the R4 download.
  schema ??= JSON.parse(readFileSync(join(definitionsFolder(), 'fhir.schema.json'), 'utf8')) as Schema;
  return schema;
}
