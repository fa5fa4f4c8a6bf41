/**
 * The region file: who belongs to the region. A FHIR transaction Bundle of the directory, and beside it what FHIR
 * has no resource for: SMART clients, AE titles, identifier domains, sign-in persons.
 */
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { parseDate } from '../../profiles/dicom/date-time.ts';
import { LANGUAGES } from '../../profiles/language.ts';
import { Fault } from '../../profiles/fault.ts';
import type { Validate } from '../../profiles/validation/validate.ts';
import { messageOf } from './region-messages.ts';
import { REGION_SCHEMA } from './region-schema.ts';
import { checkRegion } from './region-rules.ts';
import type { Region } from './region-model.ts';

export type * from './region-model.ts';

const MAX_ERRORS = 50;

/** Without these a file is refused; the other members are lists, which may be left out. */
type NeededMembers = Pick<
  Region,
  'serial' | 'bundle' | 'identifierDomains' | 'qualifiedIdentifiers' | 'affinityDomain'
>;

/**
 * Reads a region file that is parsed from JSON.
 *
 * Left-out lists are empty and `demonstration` is false. `validate`, when given, checks resources: that of R4. Every
 * error is reported at once, one a line, with its place in the file and without values.
 * @throws {Fault} invalid - the shape is wrong, a name stands twice, or a reference leads nowhere
 */
export function parseRegion(json: unknown, validate?: Validate): Region {
  const hasShape = compileSchema();
  if (!hasShape(json)) throw faultOf((hasShape.errors ?? []).map(messageOf));
  const region: Region = { ...emptyRegion(), ...structuredClone(json) };
  const errors = checkRegion(region, validate);
  if (errors.length > 0) throw faultOf(errors);
  return freezeDeeply(region);
}

/**
 * Refuses a demonstration region outside development: its keys are published.
 * @throws {Fault} forbidden - the region is for demonstration and the server is not in development
 */
export function refuseDemonstration(region: Region, development: boolean): void {
  if (!region.demonstration || development) return;
  throw new Fault(
    'forbidden',
    'The region file is for demonstration and its keys are public: set PASSERELLE_REGION to your own file, or ' +
      'PASSERELLE_DEVELOPMENT=1',
  );
}

function compileSchema(): ValidateFunction<Partial<Region> & NeededMembers> {
  const ajv = new Ajv({ allErrors: true, strict: false });
  ajv.addFormat('date', (value: string) => isDate(value));
  return ajv.compile<Partial<Region> & NeededMembers>(REGION_SCHEMA);
}

function isDate(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(value) && parseDate(value.replaceAll('-', '')) !== undefined;
}

function emptyRegion(): Omit<Region, keyof NeededMembers> {
  return {
    demonstration: false,
    language: LANGUAGES[0],
    clients: [],
    aeTitles: [],
    imagingServices: [],
    contacts: [],
    persons: [],
    identityProviders: [],
    assertionIssuers: [],
  };
}

function faultOf(errors: readonly string[]): Fault {
  const shown = errors.slice(0, MAX_ERRORS);
  const rest = errors.length - shown.length;
  const lines = rest > 0 ? [...shown, `and ${rest} more`] : shown;
  return new Fault('invalid', `The region file is not valid:\n${lines.join('\n')}`);
}

function freezeDeeply<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) freezeDeeply(member);
  return value;
}
