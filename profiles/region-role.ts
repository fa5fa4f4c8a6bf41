/** Offices of a region, which the region file alone gives: desks, data protection, support. */
import type { CodeableConcept } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from './codes.ts';

/** The codes of `definitions/CodeSystem-region-role.json`. */
export const REGION_ROLES = [
  'region-desk',
  'region-dpo',
  'support',
  'establishment-desk',
  'establishment-dpo',
] as const;

/** One of {@link REGION_ROLES}. */
export type RegionRole = (typeof REGION_ROLES)[number];

/** The offices among the codes of a PractitionerRole, each once. */
export function regionRolesOf(concepts: readonly CodeableConcept[] = []): readonly RegionRole[] {
  const codes = codesOfRegionRole(concepts);
  return REGION_ROLES.filter((role) => codes.includes(role));
}

/** The codes of the code system among these concepts, those that it does not have, too. */
export function codesOfRegionRole(concepts: readonly CodeableConcept[] = []): readonly string[] {
  const codings = concepts.flatMap(({ coding = [] }) => coding);
  return codings.flatMap(({ system, code }) => (system === CODE_SYSTEM.regionRole ? [code ?? ''] : []));
}
