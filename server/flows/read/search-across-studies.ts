/** A requester searches series or instances across studies: QIDO-RS at the top level, or by keys of the study. */
import type { Question, StudyParts } from '../../ports/record-store.ts';
import { guarded, refusalsRecorded, shownRows, type GuardDeps, type ShownRow, type Visit } from '../guard.ts';
import { requireScope } from '../../access/scope.ts';
import { rowsOfEach } from '../retrieve/study-pages.ts';

/** The question; `text` is the query for the audit trail. */
export type SearchAcrossStudies = Omit<Extract<Question, { kind: 'parts' }>, 'kind'> & { readonly text: string };

/**
 * Finds them, with one event for each person whose studies are shown.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} too-costly - it would look at too much
 */
export function searchAcrossStudies(deps: GuardDeps) {
  return async (visit: Visit, { text, ...asked }: SearchAcrossStudies): Promise<StudyParts> =>
    await refusalsRecorded(deps, visit, 'qido', async () => {
      requireScope(visit.requester, 'ImagingStudy', 's');
      const { answer } = await guarded(
        deps,
        visit,
        'qido',
        { kind: 'parts', ...asked },
        ({ studies, included, parts }) => ({
          rows: [...shownRows(studies, included), ...rowsOfParts({ studies, parts })],
          entities: [{ role: '24', query: text }],
        }),
      );
      return answer;
    });
}

/** Parts are told of under the identities that they are filed under, by the right that shows a study of the person. */
function rowsOfParts({ studies, parts }: Pick<StudyParts, 'studies' | 'parts'>): readonly ShownRow[] {
  const ofPerson = new Map(studies.map((study) => [study.person, study]));
  return parts.flatMap(({ row: { person, subject } }) => {
    const study = ofPerson.get(person);
    return study === undefined ? [] : rowsOfEach(study, [subject]);
  });
}
