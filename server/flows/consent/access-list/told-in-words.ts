/**
 * An exam that was another's for a while lost its words in the events of its patient, and others that stood beside it
 * theirs. They are told again as their rows say at present, where who reads the list sees them.
 */
import type { AccessLine, SeenExam } from '../../../../profiles/audit/access-line.ts';
import { examWords } from '../../../../profiles/audit/exam-label.ts';
import type { GuardDeps, Reading } from '../../guard.ts';
import { seenAmong } from './own-rows.ts';

/** The same accesses with these words. What was hidden when it was read stays without. */
export async function toldInWords(
  deps: GuardDeps,
  reading: Reading,
  lines: readonly AccessLine[],
): Promise<readonly AccessLine[]> {
  const forgotten = lines.flatMap(({ exams }) => exams.filter(isWordless).map(({ reference }) => reference));
  if (forgotten.length === 0) return lines;
  const seen = await seenAmong(deps, reading, [...new Set(forgotten)]);
  const told = (exam: SeenExam): SeenExam => {
    const row = isWordless(exam) ? seen.get(exam.reference) : undefined;
    return row === undefined ? exam : { ...exam, ...examWords(row.type, JSON.parse(row.json) as object) };
  };
  return lines.map((line) => ({ ...line, exams: line.exams.map(told) }));
}

function isWordless({ isForgotten, description, started, modality }: SeenExam): boolean {
  return isForgotten === true && [description, started, modality].every((word) => word === undefined);
}
