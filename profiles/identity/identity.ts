/** What one source knows of somebody, as far as it says which person that is. */
import type { Patient } from '@medplum/fhirtypes';
import { nationalNumbers, type NationalNumber, type NumberSource } from './national-numbers.ts';
import { readReliability } from './reliability.ts';
import { readTraits, type Traits } from './traits.ts';

/** An identity. */
export type Identity = {
  /** The id of its home Patient: it never changes. */
  readonly id: string;
  /** When the identity became known (milliseconds since 1970). */
  readonly since: number;
  readonly numbers: readonly NationalNumber[];
  readonly traits: Traits;
  /** It joins by a verdict alone. */
  readonly isBarred: boolean;
};

/** What the desk says of two identities (their ids): that they are one person, or are not. */
export type Verdict = { readonly one: string; readonly other: string; readonly same: boolean };

/** Reads an identity off the Patient that its source sent. */
export function readIdentity(
  { id, since }: Pick<Identity, 'id' | 'since'>,
  patient: Patient,
  source: NumberSource,
): Identity {
  return {
    id,
    since,
    numbers: nationalNumbers(patient, source),
    traits: readTraits(patient),
    isBarred: readReliability(patient).isBarred,
  };
}

/** The numbers by which an identity may join. */
export function joiningNumbers({ numbers, isBarred }: Identity): readonly NationalNumber[] {
  return isBarred ? [] : numbers.filter(({ isQualified }) => isQualified);
}

/** Orders identities by who was first. */
export function byAge(one: Identity, other: Identity): number {
  return one.since - other.since || (one.id < other.id ? -1 : Number(one.id > other.id));
}

/** The identity whose id and key a person bears: the first of hers. */
export function oldestOf(cluster: readonly Identity[]): Identity | undefined {
  return [...cluster].sort(byAge)[0];
}
