/**
 * Which accesses are told to who represents a patient (access.md R-74, 10.3): of exams those that she sees herself at
 * present; and of readers those of whom her access list, or a Consent that she reads, tells her.
 */
import type { AccessLine } from '../../../../profiles/audit/access-line.ts';
import type { RepresentativeRequester } from '../../../access/requester.ts';
import type { Reading } from '../../guard.ts';
import { seenAmong } from './own-rows.ts';
import { accessesOfRecord, type WhoCanAccessDeps } from './who-can-access.ts';

/**
 * Leaves of each access what may be told, and nothing of those of which nothing may. How many exams no event names is
 * not told: they may be hidden from her.
 */
export async function toldToRepresentative(
  deps: WhoCanAccessDeps,
  requester: RepresentativeRequester,
  reading: Reading,
  lines: readonly AccessLine[],
): Promise<readonly AccessLine[]> {
  const listed = await accessesOfRecord(deps, requester, reading);
  const readers = new Set(listed.map(({ who }) => `${who.resourceType}/${who.id}`));
  const items = lines.flatMap(({ exams, consent = [] }) =>
    [...exams.map(({ reference }) => reference), consent].flat(),
  );
  const seen = await seenAmong(deps, reading, [...new Set(items)]);
  const isTold = ({ isOwn, who, consent }: AccessLine): boolean =>
    isOwn || (consent === undefined ? readers.has(who.reference) : seen.has(consent));
  return lines.filter(isTold).flatMap((line): readonly AccessLine[] => {
    const { isAtLeast: _, ...told } = line;
    const exams = line.exams.filter(({ reference }) => seen.has(reference));
    return exams.length === 0 && line.exams.length > 0 ? [] : [{ ...told, exams, further: 0, events: [] }];
  });
}
