/** The parameters that FindDocuments and its variants share. @see ITI TF-2 3.18.4.1.2.3.7.1 */
import { AVAILABILITY_STATUS, OBJECT_TYPE } from '../codes.ts';
import { parseCodedValue } from '../ebxml/coded-value.ts';
import type { CodedValue } from '../ebxml/coded-value.ts';
import { parseDtm, parsePatientCx } from '../ebxml/hl7-types.ts';
import {
  alternativeGroups,
  alternatives,
  missingParameter,
  refusedValue,
  singleValue,
  typedValue,
} from './parameters.ts';
import type { QueryParameters } from './parameters.ts';
import type { DocumentFilters, FindDocumentsCriteria, InstantRange } from './query.ts';

const PREFIX = '$XDSDocumentEntry';
const CODES = ['classCode', 'typeCode', 'practiceSettingCode', 'healthcareFacilityTypeCode', 'formatCode'] as const;
const CODE_GROUPS = ['eventCodeList', 'confidentialityCode'] as const;
const TIMES = ['creationTime', 'serviceStartTime', 'serviceStopTime'] as const;

const STATUS_OF_URN = {
  [AVAILABILITY_STATUS.approved]: 'current',
  [AVAILABILITY_STATUS.deprecated]: 'superseded',
} as const satisfies Record<string, FindDocumentsCriteria['statuses'][number]>;

const OBJECT_TYPE_OF_URN = {
  [OBJECT_TYPE.stable]: 'stable',
  [OBJECT_TYPE.onDemand]: 'on-demand',
} as const satisfies Record<string, DocumentFilters['objectType'][number]>;

/**
 * Reads the parameters of FindDocuments.
 * @throws {Fault} required (XDSStoredQueryMissingParam) - no patient or no status
 * @throws {Fault} invalid - several values where one is accepted (XDSStoredQueryParamNumber), or a value that is
 *   not of its type (XDSRegistryError)
 */
export function readFindDocuments(parameters: QueryParameters): FindDocumentsCriteria {
  return { patientId: patientIdOf(parameters), statuses: statusesOf(parameters), ...readDocumentFilters(parameters) };
}

function patientIdOf(parameters: QueryParameters): FindDocumentsCriteria['patientId'] {
  const name = `${PREFIX}PatientId`;
  const text = singleValue(parameters, name);
  if (text === undefined) throw missingParameter(name);
  return typedValue(name, text, parsePatientCx);
}

function statusesOf(parameters: QueryParameters): FindDocumentsCriteria['statuses'] {
  const name = `${PREFIX}Status`;
  const urns = alternatives(parameters, name);
  if (urns.length === 0) throw missingParameter(name);
  return urns.map((urn) => meaningOf(STATUS_OF_URN, urn, name));
}

function readDocumentFilters(parameters: QueryParameters): DocumentFilters {
  const filters: Record<string, unknown> = {};
  for (const field of CODES) set(filters, field, codesOf(alternatives(parameters, nameOf(field)), field));
  for (const field of CODE_GROUPS) {
    set(
      filters,
      field,
      alternativeGroups(parameters, nameOf(field)).map((group) => codesOf(group, field)),
    );
  }
  for (const field of TIMES) {
    const range = rangeOf(parameters, nameOf(field));
    if (range !== undefined) filters[field] = range;
  }
  set(filters, 'authorPerson', alternatives(parameters, nameOf('authorPerson')));
  return { ...filters, objectType: objectTypesOf(parameters) };
}

function set(filters: Record<string, unknown>, field: keyof DocumentFilters, values: readonly unknown[]): void {
  if (values.length > 0) filters[field] = values;
}

/**
 * Reads $XDSDocumentEntryType; stable entries alone when it is not there.
 * @throws {Fault} invalid (XDSRegistryError) - no type of entry
 */
export function objectTypesOf(parameters: QueryParameters): DocumentFilters['objectType'] {
  const name = `${PREFIX}Type`;
  const urns = alternatives(parameters, name);
  return urns.length === 0 ? ['stable'] : urns.map((urn) => meaningOf(OBJECT_TYPE_OF_URN, urn, name));
}

function codesOf(values: readonly string[], field: string): CodedValue[] {
  return values.map((value) => {
    const code = parseCodedValue(value);
    if (code === undefined) throw refusedValue(nameOf(field), 'must be written code^^scheme');
    return code;
  });
}

function rangeOf(parameters: QueryParameters, name: string): InstantRange | undefined {
  const from = instantOf(parameters, `${name}From`);
  const to = instantOf(parameters, `${name}To`);
  if (from === undefined && to === undefined) return undefined;
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function instantOf(parameters: QueryParameters, name: string): string | undefined {
  const text = singleValue(parameters, name);
  if (text === undefined) return undefined;
  const instant = parseDtm(text);
  if (instant === undefined) throw refusedValue(name, 'must be a DTM of 4 to 14 digits');
  return instant;
}

function meaningOf<T>(table: Readonly<Record<string, T>>, urn: string, name: string): T {
  const meaning = Object.hasOwn(table, urn) ? table[urn] : undefined;
  if (meaning === undefined) throw refusedValue(name, `must be one of ${Object.keys(table).join(', ')}`);
  return meaning;
}

/** `classCode` is $XDSDocumentEntryClassCode. */
function nameOf(field: string): string {
  return `${PREFIX}${field.charAt(0).toUpperCase()}${field.slice(1)}`;
}
