/** Identifier systems under which nobody numbers patients, orders or visits. */
import { IDENTIFIER_SYSTEM } from './codes.ts';

/** UIDs of DICOM, which name objects, and URIs, which name themselves. */
const RESERVED: ReadonlySet<string> = new Set([IDENTIFIER_SYSTEM.dicomUid, IDENTIFIER_SYSTEM.uri]);
/** Names of this product begin so. */
const OWN = 'urn:passerelle:';

/**
 * Returns whether a system is reserved: what it holds is derived or says itself, so it is believed of no sender as the
 * issuer of a number. Case does not count, as in the names of URNs (RFC 8141 section 3.1).
 */
export function isReservedSystem(system: string): boolean {
  const name = system.toLowerCase();
  return RESERVED.has(name) || name.startsWith(OWN);
}
