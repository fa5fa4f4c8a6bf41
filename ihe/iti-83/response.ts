/** ITI-83 Mobile Patient Identifier Cross-reference Query, response. @see IHE PIXm 3.1, 2:3.83.4.2 */
import type { Identifier, Parameters } from '@medplum/fhirtypes';

/** What is known of the patient: her other identifiers, and her Patients (`Patient/id`). */
export type CrossReference = { readonly identifiers: readonly Identifier[]; readonly patients: readonly string[] };

/** Builds the answer; without a parameter nothing corresponds. */
export function buildCrossReferenceAnswer({ identifiers, patients }: CrossReference): Parameters {
  const parameter = [
    ...identifiers.map((valueIdentifier) => ({ name: 'targetIdentifier', valueIdentifier })),
    ...patients.map((reference) => ({ name: 'targetId', valueReference: { reference } })),
  ];
  return { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
}

/** Diagnostics that the transaction prescribes. @see IHE PIXm 3.1, 2:3.83.4.2.2 */
export const PIXM_DIAGNOSTICS = {
  unknownIdentifier: 'sourceIdentifier Patient Identifier not found',
  unknownDomain: 'sourceIdentifier Assigning Authority not found',
  unknownTarget: 'targetSystem not found',
} as const;
