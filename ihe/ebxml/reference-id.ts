/**
 * DocumentReference.context.related and .encounter as referenceIdList.
 * @see ITI TF-3 4.2.3.2.28
 */
import type { DocumentReference, Identifier, Reference } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM, oidOf } from '../../profiles/codes.ts';
import { REFERENCE_ID_TYPE } from '../codes.ts';
import type { Resolve } from './author.ts';
import { formatCx } from './hl7-types.ts';

/** HL7 v2-0203 identifier types and the reference that they make. */
const TYPE_OF_V2: ReadonlyMap<string, string> = new Map([
  ['ACSN', REFERENCE_ID_TYPE.accession],
  ['PLAC', REFERENCE_ID_TYPE.order],
  ['FILL', REFERENCE_ID_TYPE.order],
  ['VN', REFERENCE_ID_TYPE.encounterId],
]);

const REFERENCE_ID_TYPES: ReadonlySet<string> = new Set(Object.values(REFERENCE_ID_TYPE));

/** Returns the CXi of every related identifier whose kind XDS can name, without repetition. */
export function toReferenceIdList({ context }: DocumentReference, resolve: Resolve): string[] {
  const related = (context?.related ?? []).flatMap(reference => identifiersOf(reference, resolve));
  const encounters = (context?.encounter ?? []).flatMap(reference => identifiersOf(reference, resolve));
  const list = [
    ...related.map(identifier => toCxi(identifier)),
    ...encounters.map(identifier => toCxi(identifier, REFERENCE_ID_TYPE.encounterId)),
  ];
  return [...new Set(list.filter(cxi => cxi !== undefined))];
}

function identifiersOf(reference: Reference, resolve: Resolve): readonly Identifier[] {
  if (reference.identifier !== undefined) return [reference.identifier];
  const resource = resolve(reference);
  return resource?.resourceType === 'ImagingStudy' || resource?.resourceType === 'Encounter'
    ? (resource.identifier ?? [])
    : [];
}

function toCxi(identifier: Identifier, standard?: string): string | undefined {
  const { system, value } = identifier;
  const typeCode = typeOf(identifier) ?? standard;
  if (value === undefined || typeCode === undefined) return undefined;
  // A Study Instance UID has no assigning authority: it is unique by itself.
  if (typeCode === REFERENCE_ID_TYPE.studyInstanceUID) return formatCx({ value: oidOf(value) ?? value, typeCode });
  const assigningAuthority = oidOf(system);
  return formatCx({ value, typeCode, ...(assigningAuthority === undefined ? {} : { assigningAuthority }) });
}

function typeOf({ system, type }: Identifier): string | undefined {
  if (system === IDENTIFIER_SYSTEM.dicomUid) return REFERENCE_ID_TYPE.studyInstanceUID;
  for (const { code = '', system: codeSystem } of type?.coding ?? []) {
    if (REFERENCE_ID_TYPES.has(code)) return code;
    if (codeSystem === CODE_SYSTEM.identifierType && TYPE_OF_V2.has(code)) return TYPE_OF_V2.get(code);
  }
  return undefined;
}
