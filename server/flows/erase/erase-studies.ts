/** The exams of a person, erased one study after the other. */
import type { ImagingStudy } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import { systemReading, type SystemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { pagesOfAll } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { eraseStudyOf, type EraseStudyDeps } from './erase-study.ts';

/** Erases what is filed under some of her identities (`Patient/id`). */
export async function eraseStudiesOf(
  deps: EraseStudyDeps,
  person: PersonKey,
  identities: ReadonlySet<string>,
  run: JobRun,
): Promise<void> {
  const reading = systemReading('erase-record', deps.clock.now());
  for (const studyInstanceUID of await studiesOf(deps.records, reading({ person }), identities)) {
    await eraseStudyOf(deps, studyInstanceUID, person, run).catch(unlessGone);
    await run.goOn();
  }
}

/** Study Instance UIDs of what is filed under these identities. */
async function studiesOf(
  records: RecordStore,
  hers: SystemGrant,
  identities: ReadonlySet<string>,
): Promise<readonly string[]> {
  const uids: string[] = [];
  for await (const page of pagesOfAll<ImagingStudy>(records, hers, 'ImagingStudy'))
    for (const { row, resource } of page)
      if (identities.has(row.subject ?? '')) uids.push(studyInstanceUIDIn(resource));
  return uids;
}

/** What an operator has erased meanwhile is gone. */
function unlessGone(error: unknown): void {
  if (!(error instanceof Fault) || error.kind !== 'not-found') throw error;
}
