/**
 * The affinity domain: by which identifier a person is known to consumers of XDS, whatever a query named her by.
 * @see ITI TF-1 10.4.11; ITI TF-3 4.2.3.2.16
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';

/** Systems of patient identifiers, `urn:oid:` each. */
export type AffinityDomain = {
  /** Qualified systems: the first of which a person has a number is that of her XDS patient id. */
  readonly patientIdSystems: readonly string[];
  /** The region's own system, for whoever has none of these. */
  readonly ownSystem: string;
};

/** An identifier that names its issuer. */
export type IssuedIdentifier = { readonly system: string; readonly value: string };

/**
 * Returns the identifier of a person in the affinity domain: of what is shown of her the present number of the first
 * system that she has one of, else the region's own, which is the id of her Patient. Undefined when she has neither.
 */
export function affinityIdentifier(
  { id, identifier = [] }: Pick<Patient, 'id' | 'identifier'>,
  { patientIdSystems, ownSystem }: AffinityDomain,
): IssuedIdentifier | undefined {
  for (const system of patientIdSystems) {
    const value = identifier.find((one) => one.system === system && isPresent(one))?.value;
    if (value !== undefined) return { system, value };
  }
  return id === undefined ? undefined : { system: ownSystem, value: id };
}

/** A number that was replaced still finds her, and names her no more. */
function isPresent({ value, use }: Identifier): boolean {
  return value !== undefined && value !== '' && use !== 'old';
}
