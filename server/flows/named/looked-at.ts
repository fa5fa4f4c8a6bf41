/**
 * Which names of a study were looked at. Each is once, whatever came of it: a further image that says the same declares
 * nobody whom the patient has ended since, or who was named while she shared nothing.
 */
import type { ItemReading, SystemGrant } from '../../access/grant.ts';
import { claimKey, type ClaimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf } from '../internal-reads.ts';
import type { PlanParts } from '../write/plan-parts.ts';

/** What stands of a study. */
export type LookedAt = {
  readonly key: ClaimKey;
  /** The claim as it stands. */
  readonly last: string | undefined;
  /** Whose study it was then (`Patient/id`). */
  readonly patient: string | undefined;
  /**
   * By the key of a name the id of the Consent that was made of it, or that another exam had made by then, or an empty
   * text.
   */
  readonly names: Readonly<Record<string, string>>;
};

/** Reads it. */
export async function lookedAt(
  records: RecordStore,
  reading: ItemReading,
  studyInstanceUID: string,
): Promise<LookedAt> {
  const key = claimKey.named(studyInstanceUID);
  const last = await claimOf(records, reading, key);
  if (last === undefined) return { key, last, patient: undefined, names: {} };
  return { key, last, ...(JSON.parse(last) as Pick<LookedAt, 'patient' | 'names'>) };
}

/** The ids of Consents that the names of some studies were made to, or found. */
export async function lookedAtOf(
  records: RecordStore,
  whole: SystemGrant,
  studyInstanceUIDs: readonly string[],
): Promise<ReadonlySet<string>> {
  const claims = await records.claimedAmong(whole, studyInstanceUIDs.map(claimKey.named));
  return new Set([...claims.values()].flatMap((said) => Object.values((JSON.parse(said) as LookedAt).names)));
}

/** The names that were not looked at yet, of a study that is this Patient's (`Patient/id`). */
export function unseenOf<N extends { readonly key: string }>(
  { patient, names }: LookedAt,
  present: string,
  all: readonly N[],
): readonly N[] {
  return patient === present ? all.filter(({ key }) => names[key] === undefined) : all;
}

/** The parts that keep what was looked at: of two plans at one time the second conflicts. */
export function lookedAtParts({ key, last }: LookedAt, said: Pick<LookedAt, 'patient' | 'names'>): PlanParts {
  const claims = [{ key, value: JSON.stringify({ patient: said.patient, names: said.names }) }];
  if (last === undefined) return { claims };
  return { preconditions: [{ kind: 'claimed', key, value: last }], erased: [{ claims: [key] }], claims };
}
