/** A requester reads the metadata of instances of a study, as they were made on reception: WADO-RS. */
import type { StudyMetadata } from '../../ports/record-store.ts';
import { foundNothing, guarded, readOn, refusalsRecorded, type Account, type GuardDeps, type Visit } from '../guard.ts';
import { requireScope } from '../../access/scope.ts';
import { accountOf, foundMetadata, PAGE, studyPages, type StudyPages, type WhichInstances } from './study-pages.ts';

/**
 * Finds the DICOM JSON of the instances, each an object in UTF-8, in canonical order. The first page is audited
 * already.
 * @throws {Fault} forbidden - the scopes do not allow it
 * @throws {Fault} not-found - no such study or instance, or none that the requester may see
 */
export function retrieveMetadata(deps: GuardDeps) {
  return async (visit: Visit, which: WhichInstances): Promise<StudyPages<Uint8Array>> =>
    await refusalsRecorded(deps, visit, 'wado-metadata', async () => {
      requireScope(visit.requester, 'ImagingStudy', 'r');
      const question = { kind: 'metadata', ...which, offset: 0, limit: PAGE } as const;
      const tell = (answer: StudyMetadata): Account => accountOf(which, foundMetadata(answer));
      const recorded = await guarded(deps, visit, 'wado-metadata', question, tell);
      const { metadata: first } = recorded.answer;
      if (first.length === 0) throw foundNothing('No such study, series or instance');
      const reading = { visit, kind: 'wado-metadata', recorded } as const;
      return studyPages(deps.clock, first, async (page) => {
        const { study, metadata } = await readOn(deps, reading, { ...question, ...page }, tell);
        return study && metadata;
      });
    });
}
