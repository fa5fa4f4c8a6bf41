/** Who issued an identifier, as the system of a FHIR Identifier. @see DICOM PS3.3 table 10-17, PS3.3 C.7.1.1 */
import { comparedUri, oidUri } from '../codes.ts';
import { isReservedSystem } from '../reserved-systems.ts';
import { TAG } from './attributes.ts';
import { jsonIdentifier, jsonItems } from './json/values.ts';
import type { DicomJson } from './json/json.ts';

/**
 * Returns the system that the first item of an issuer's sequence names by its UniversalEntityID: an OID (type ISO), a
 * UUID or a URI; undefined when it names none, as a namespace that only its owner knows, or a reserved system. An OID
 * whose type was forgotten is one all the same: else the number of another domain would be taken for the sender's own.
 */
export function issuerSystemOf(json: DicomJson, sequenceTag: number): string | undefined {
  const [issuer] = jsonItems(json, sequenceTag);
  if (issuer === undefined) return undefined;
  const id = jsonIdentifier(issuer, TAG.UniversalEntityID) ?? '';
  const type = jsonIdentifier(issuer, TAG.UniversalEntityIDType)?.toUpperCase();
  switch (type ?? 'ISO') {
    case 'ISO':
      return isOID(id) ? oidUri(id) : undefined;
    case 'UUID':
      return UUID.test(id) ? `urn:uuid:${id.toLowerCase()}` : undefined;
    case 'URI':
      return ABSOLUTE_URI.test(id) && !isReservedSystem(id) ? comparedUri(id) : undefined;
    default:
      return undefined;
  }
}

/** What IssuerOfPatientID (0010,0021) holds: the parts of a v2 hierarchic designator, as far as they are there. */
export type IssuerName = { readonly namespace: string | undefined; readonly system: string | undefined };

/**
 * Reads IssuerOfPatientID: a namespace, an OID, or a whole designator of HL7 v2 (`namespace&OID&ISO`), as devices write
 * it that copy CX.4.
 */
export function issuerOfPatientID(json: DicomJson): IssuerName {
  const [first = '', second = '', type = ''] = (jsonIdentifier(json, TAG.IssuerOfPatientID) ?? '')
    .split('&')
    .map((part) => part.trim());
  const oid = type === 'ISO' ? second : first;
  return { namespace: first === '' || isOID(first) ? undefined : first, system: isOID(oid) ? oidUri(oid) : undefined };
}

/** Whether a text is an OID of at least three arcs, without leading zeros: fewer are no issuer. */
function isOID(text: string): boolean {
  return /^[0-2](?:\.(?:0|[1-9]\d*)){2,}$/.test(text);
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const ABSOLUTE_URI = /^[a-z][a-z\d+.-]*:[^\s|]+$/i;
