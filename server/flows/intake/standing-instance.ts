/**
 * A received instance beside what stands: whether it may join its study, is one that stands already, or contradicts.
 * A store refuses what a racing sender wrote meanwhile; the plan is then built again, and finds it here.
 */
import type { SystemGrant } from '../../access/grant.ts';
import type { InstanceRow, QuarantineReason } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';

/** The claim that a study is of one Patient (`Patient/id`). */
export function studyKey(studyInstanceUID: string): string {
  return `study|${studyInstanceUID}`;
}

/** The value of {@link studyKey} while a study is being erased: nobody's, so that no instance joins it. */
export const ERASING = 'erasing';

/** The claim that a study comes from one establishment (`Organization/id`), the first that sent an instance of it. */
export function studySourceKey(studyInstanceUID: string): string {
  return `study-source|${studyInstanceUID}`;
}

/** The claim that some instance of a study was imported from a former archive, whether or not it stood already. */
export function importedKey(studyInstanceUID: string): string {
  return `imported|${studyInstanceUID}`;
}

/**
 * Compares. A study takes instances of its own establishment only: authorship is a right to all of it. In another
 * transfer syntax the bytes differ in any case, so there the place decides: study, series and SOP class.
 */
export async function compareWithStanding(
  records: RecordStore,
  grant: SystemGrant,
  row: InstanceRow,
  { owner, patient }: { readonly owner: string | undefined; readonly patient: string },
): Promise<'new' | 'same' | 'other-transfer-syntax' | QuarantineReason> {
  if (owner !== undefined && owner !== patient) return 'other-patient';
  const standing = await records.instanceOf(grant, row.sopInstanceUID);
  if (standing?.dataSetDigest === row.dataSetDigest) return 'same';
  const source = await records.claimed(grant, studySourceKey(row.studyInstanceUID));
  if (source !== undefined && source !== row.source) return 'other-establishment';
  if (standing === undefined) return 'new';
  if (standing.transferSyntaxUID !== row.transferSyntaxUID && isSamePlace(standing, row))
    return 'other-transfer-syntax';
  return 'other-data-set';
}

function isSamePlace(one: InstanceRow, other: InstanceRow): boolean {
  return (['studyInstanceUID', 'seriesInstanceUID', 'sopClassUID'] as const).every((name) => one[name] === other[name]);
}
