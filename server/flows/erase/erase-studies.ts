/** The exams of a person, erased one study after the other. */
import type { ImagingStudy } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import { systemReading, type SystemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf, pagesOfAll } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts } from '../write/plan-parts.ts';
import { eraseStudyOf, goOnErasing, type EraseStudyDeps } from './erase-study.ts';
import type { Taking } from './taken.ts';

/**
 * Erases what is filed under some of her identities; of what a run began that was cut short nothing is left either:
 * nothing shows any more whose that is, so the studies are kept until all of them are gone.
 */
export async function eraseStudiesOf(deps: EraseStudyDeps, taking: Taking, run: JobRun): Promise<void> {
  const { records } = deps;
  const { person, identities } = taking;
  await endBegunStudies(deps, person, run);
  const reading = systemReading('erase-record', deps.clock.now());
  const studies = await studiesOf(records, reading({ person }), identities);
  if (studies.length === 0) return;
  const claims = [{ key: claimKey.erasingStudies(person), value: JSON.stringify(studies) }];
  await records.commit(systemWarrant('erase-items', person), joinParts({ claims }));
  for (const studyInstanceUID of studies) {
    await eraseStudyOf(deps, studyInstanceUID, taking, run).catch(unlessGone);
    await run.goOn();
  }
  await endBegunStudies(deps, person, run);
}

/** Goes on with the studies that were begun, and with no other: a study is erased whole. */
export async function endBegunStudies(deps: EraseStudyDeps, person: PersonKey, run: JobRun): Promise<void> {
  const key = claimKey.erasingStudies(person);
  const begun = await claimOf(deps.records, systemReading('erase-record', deps.clock.now()), key);
  if (begun === undefined) return;
  for (const studyInstanceUID of JSON.parse(begun) as readonly string[]) {
    await goOnErasing(deps)(studyInstanceUID, run);
    await run.goOn();
  }
  await deps.records.commit(systemWarrant('erase-items', person), joinParts({ erased: [{ claims: [key] }] }));
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
