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
import { joinParts, type PlanParts } from '../write/plan-parts.ts';
import { eraseStudyOf, goOnErasing, type EraseStudyDeps } from './erase-study.ts';

/**
 * Erases what is filed under some of her identities (`Patient/id`); of what a run began that was cut short nothing is
 * left either: nothing shows any more whose that is, so the studies are kept until all of them are gone.
 */
export async function eraseStudiesOf(
  deps: EraseStudyDeps,
  person: PersonKey,
  identities: ReadonlySet<string>,
  run: JobRun,
): Promise<void> {
  const { records } = deps;
  const reading = systemReading('erase-record', deps.clock.now());
  const key = claimKey.erasingStudies(person);
  const begun = await claimOf(records, reading, key);
  for (const studyInstanceUID of JSON.parse(begun ?? '[]') as readonly string[]) {
    await goOnErasing(deps)(studyInstanceUID, run);
    await run.goOn();
  }
  const studies = await studiesOf(records, reading({ person }), identities);
  if (begun === undefined && studies.length === 0) return;
  const warrant = systemWarrant('erase-items', person);
  const forgotten: PlanParts = { erased: [{ claims: [key] }] };
  await records.commit(warrant, joinParts(forgotten, { claims: [{ key, value: JSON.stringify(studies) }] }));
  for (const studyInstanceUID of studies) {
    await eraseStudyOf(deps, studyInstanceUID, { person, identities }, run).catch(unlessGone);
    await run.goOn();
  }
  await records.commit(warrant, joinParts(forgotten));
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
