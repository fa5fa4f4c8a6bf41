/** How far the upgrade of a store is: a claim, where whoever was killed goes on, and two stay together. */
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { PageEnd, RecordStore } from '../../ports/record-store.ts';
import { claimOf } from '../internal-reads.ts';
import { joinParts } from '../write/plan-parts.ts';

/** The place in the list of steps, and in the rows of that step. */
export type UpgradeMark = {
  readonly step: number;
  readonly after?: PageEnd;
  /** Rows of this step that are done. */
  readonly done: number;
  /** Tasks that ask desks to look at somebody, of all steps. */
  readonly listed: number;
};

/** Where an upgrade begins. */
export const BEGINNING: UpgradeMark = { step: 0, done: 0, listed: 0 };

/** Reads the mark. */
export async function readUpgradeMark(records: RecordStore, now: number): Promise<UpgradeMark> {
  const value = await claimOf(records, systemReading('adopt-identities', now), claimKey.upgraded());
  return value === undefined ? BEGINNING : (JSON.parse(value) as UpgradeMark);
}

/**
 * Moves the mark.
 * @throws {Fault} conflict - another server has moved it meanwhile
 */
export async function moveUpgradeMark(records: RecordStore, from: UpgradeMark, to: UpgradeMark): Promise<void> {
  const key = claimKey.upgraded();
  const claims = [{ key, value: JSON.stringify(to) }];
  const standing = { kind: 'claimed', key, value: JSON.stringify(from) } as const;
  const former = from === BEGINNING ? {} : { preconditions: [standing], erased: [{ claims: [key] }] };
  await records.commit(systemWarrant('adopt-identities'), joinParts({ ...former, claims }));
}
