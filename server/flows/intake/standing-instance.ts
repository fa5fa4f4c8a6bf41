/**
 * A received instance beside what stands: whether it may join its study, is one that stands already, or contradicts.
 * A store refuses what a racing sender wrote meanwhile; the plan is then built again, and finds it here.
 */
import type { ItemReading } from '../../access/grant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { InstanceRow, QuarantineReason } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf } from '../internal-reads.ts';

/** The value of the claim of a study while a study is being erased: nobody's, so that no instance joins it. */
export const ERASING = 'erasing';

/**
 * Compares. A study takes instances of its own establishment only: authorship is a right to all of it. In another
 * transfer syntax the bytes differ in any case, so there the place decides: study, series and SOP class.
 */
export async function compareWithStanding(
  records: RecordStore,
  reading: ItemReading,
  row: InstanceRow,
  { owner, patient }: { readonly owner: string | undefined; readonly patient: string },
): Promise<'new' | 'same' | 'other-transfer-syntax' | QuarantineReason> {
  if (owner !== undefined && owner !== patient) return 'other-patient';
  const standing = await records.instanceOf(reading({ item: row.sopInstanceUID }), row.sopInstanceUID);
  if (standing?.dataSetDigest === row.dataSetDigest) return 'same';
  const source = await claimOf(records, reading, claimKey.studySource(row.studyInstanceUID));
  if (source !== undefined && source !== row.source) return 'other-establishment';
  if (standing === undefined) return 'new';
  if (standing.transferSyntaxUID !== row.transferSyntaxUID && isSamePlace(standing, row))
    return 'other-transfer-syntax';
  return 'other-data-set';
}

function isSamePlace(one: InstanceRow, other: InstanceRow): boolean {
  return (['studyInstanceUID', 'seriesInstanceUID', 'sopClassUID'] as const).every((name) => one[name] === other[name]);
}
