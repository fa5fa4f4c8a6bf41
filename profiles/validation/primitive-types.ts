/** FHIR primitive types as JSON schemas, with what the published FHIR schema does not say of them. */

// The day must exist: no 31st in short months, 29 February in leap years only.
const REAL_DAY =
  '(?!\\d{4}-(?:02-3|(?:04|06|09|11)-31))' +
  '(?!(?!(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-)\\d{4}-02-29)';
const YEAR = '(?!0000)\\d{4}';
const MONTH = '(?:0[1-9]|1[0-2])';
const DAY = '(?:0[1-9]|[12]\\d|3[01])';
const CLOCK = '(?:[01]\\d|2[0-3]):[0-5]\\d:(?:[0-5]\\d|60)(?:\\.\\d+)?';
const ZONE = '(?:Z|[+-](?:(?:0\\d|1[0-3]):[0-5]\\d|14:00))';
const TEXT = '^[^\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F]+$';

const INTEGER_BOUND = 2_147_483_648;

/** A JSON schema of one primitive type. */
export type PrimitiveSchema = {
  readonly type: 'boolean' | 'number' | 'integer' | 'string';
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
};

/** Every primitive type of R4. Patterns match in linear time. @see https://hl7.org/fhir/R4/datatypes.html */
export const PRIMITIVE_TYPES: Readonly<Record<string, PrimitiveSchema>> = {
  base64Binary: { type: 'string' },
  boolean: { type: 'boolean' },
  canonical: { type: 'string', pattern: '^\\S+$' },
  code: { type: 'string', pattern: '^[^\\s]+(?:\\s[^\\s]+)*$' },
  date: { type: 'string', pattern: `^${REAL_DAY}${YEAR}(?:-${MONTH}(?:-${DAY})?)?$` },
  dateTime: { type: 'string', pattern: `^${REAL_DAY}${YEAR}(?:-${MONTH}(?:-${DAY}(?:T${CLOCK}${ZONE})?)?)?$` },
  decimal: { type: 'number' },
  id: { type: 'string', pattern: '^[A-Za-z0-9\\-.]{1,64}$' },
  instant: { type: 'string', pattern: `^${REAL_DAY}${YEAR}-${MONTH}-${DAY}T${CLOCK}${ZONE}$` },
  integer: { type: 'integer', minimum: -INTEGER_BOUND, maximum: INTEGER_BOUND - 1 },
  markdown: { type: 'string', pattern: TEXT },
  oid: { type: 'string', pattern: '^urn:oid:[0-2](?:\\.(?:0|[1-9][0-9]*))+$' },
  positiveInt: { type: 'integer', minimum: 1, maximum: INTEGER_BOUND - 1 },
  string: { type: 'string', pattern: TEXT },
  time: { type: 'string', pattern: `^${CLOCK}$` },
  unsignedInt: { type: 'integer', minimum: 0, maximum: INTEGER_BOUND - 1 },
  uri: { type: 'string', pattern: '^\\S+$' },
  url: { type: 'string', pattern: '^\\S+$' },
  uuid: { type: 'string', pattern: '^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$' },
  xhtml: { type: 'string' },
};

const NAME_OF_PATTERN: ReadonlyMap<string, string> = new Map(
  Object.entries(PRIMITIVE_TYPES).flatMap(([name, { pattern }]) => (pattern === undefined ? [] : [[pattern, name]])),
);

/**
 * The primitive type whose pattern this is (of several, the last by name: `url` for uri and canonical); or undefined.
 */
export function primitiveOfPattern(pattern: string): string | undefined {
  return NAME_OF_PATTERN.get(pattern);
}
