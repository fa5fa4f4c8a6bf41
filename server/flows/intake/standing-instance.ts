/**
 * A received instance beside what stands: whether it joins its study, is one that stands already, or contradicts. A
 * store refuses what a racing sender wrote meanwhile; the plan is then built again, and finds it here.
 */
import { DICOM_UID } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { InstanceRow, Precondition, QuarantineReason } from '../../ports/commit-plan.ts';
import type { InternalInstance } from '../../ports/record-store.ts';

/** The value of the claim of a study while a study is being erased: nobody's, so that no instance joins it. */
export const ERASING = 'erasing';

/**
 * What a received instance is. `same-data-set`: other bytes that say the same; `other-transfer-syntax`: pixels that are
 * compressed in another way, where the place alone decides (study, series, SOP class).
 */
export type Compared =
  | { readonly is: 'new' }
  | { readonly is: Again; readonly standing: InternalInstance }
  | { readonly is: QuarantineReason };

/** The standing instance, sent again. */
export type Again = 'same' | 'same-data-set' | 'other-transfer-syntax';

/** A row before its person is known. */
export type ComparedRow = Omit<InstanceRow, 'person' | 'subject'>;

/** That an instance stands as it was read when a plan takes it away: whoever changed it meanwhile was first. */
export function filedAs({ sopInstanceUID, subject, blob, furtherSources = [] }: InstanceRow): Precondition {
  return { kind: 'filed', sopInstanceUID, subject, blob, furtherSources };
}

/** Gives the digest of what an instance says (decoded-digest.ts). */
export type DecodedDigest = (instance: ComparedRow) => Promise<string>;

/** Compares. Data sets are decoded where bytes differ and the place is the same, and then alone. */
export async function compareWithStanding(
  standing: InternalInstance | undefined,
  row: ComparedRow,
  decoded: DecodedDigest,
): Promise<Compared> {
  if (standing === undefined) return { is: 'new' };
  if (standing.dataSetDigest === row.dataSetDigest) return { is: 'same', standing };
  if (!isSamePlace(standing, row)) return { is: 'other-data-set' };
  if (isCompressedOtherwise(standing, row)) return { is: 'other-transfer-syntax', standing };
  return (await isSameDecoded(standing, row, decoded)) ? { is: 'same-data-set', standing } : { is: 'other-data-set' };
}

function isSamePlace(one: ComparedRow, other: ComparedRow): boolean {
  return (['studyInstanceUID', 'seriesInstanceUID', 'sopClassUID'] as const).every((name) => one[name] === other[name]);
}

/** Transfer syntaxes that leave pixels as they are. GE's turns them round, which the data set does not say. */
const NATIVE: ReadonlySet<string> = new Set([
  DICOM_UID.implicitLittleEndian,
  DICOM_UID.explicitLittleEndian,
  DICOM_UID.deflatedExplicitLittleEndian,
  DICOM_UID.explicitBigEndian,
]);

function isCompressedOtherwise({ transferSyntaxUID: one }: ComparedRow, { transferSyntaxUID: other }: ComparedRow) {
  return one !== other && !(NATIVE.has(one) && NATIVE.has(other));
}

/** What cannot be read to its end is not the same as anything. */
async function isSameDecoded(one: ComparedRow, other: ComparedRow, decoded: DecodedDigest): Promise<boolean> {
  try {
    return (await decoded(one)) === (await decoded(other));
  } catch (error) {
    if (error instanceof Fault && error.kind !== 'transient') return false;
    throw error;
  }
}
