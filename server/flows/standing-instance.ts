/**
 * A received instance beside what stands: whether it may join its study, is one that stands already, or contradicts.
 * A store refuses what a racing sender wrote meanwhile; the plan is then built again, and finds it here.
 */
import type { SystemGrant } from '../access/grant.ts';
import type { InstanceRow, QuarantineReason } from '../ports/commit-plan.ts';
import type { RecordStore } from '../ports/record-store.ts';

/** The claim that a study is of one Patient (`Patient/id`). */
export function studyKey(studyInstanceUID: string): string {
  return `study|${studyInstanceUID}`;
}

/**
 * Compares. An instance with the data set that stands is `new`, for the store says itself that it has it. In another
 * transfer syntax the bytes differ in any case, so there its place decides: study, series and SOP class.
 */
export async function compareWithStanding(
  records: RecordStore,
  grant: SystemGrant,
  row: InstanceRow,
  patient: string,
): Promise<'new' | 'other-transfer-syntax' | QuarantineReason> {
  const owner = await records.claimed(grant, studyKey(row.studyInstanceUID));
  if (owner !== undefined && owner !== patient) return 'other-patient';
  const standing = await records.instanceOf(grant, row.sopInstanceUID);
  if (standing === undefined || standing.dataSetDigest === row.dataSetDigest) return 'new';
  if (standing.transferSyntaxUID !== row.transferSyntaxUID && isSamePlace(standing, row)) return 'other-transfer-syntax';
  return 'other-data-set';
}

function isSamePlace(one: InstanceRow, other: InstanceRow): boolean {
  return (['studyInstanceUID', 'seriesInstanceUID', 'sopClassUID'] as const).every((name) => one[name] === other[name]);
}
