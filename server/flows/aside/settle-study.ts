/**
 * After persons were joined or separated: a study takes up what was kept aside of the person that it is of, and keeps
 * aside what is another person's since. It compares what stands, so it may run at any time.
 */
import { systemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { CommitReceipt, QuarantinedInstance, QuarantineReason } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf, pagesOfAll } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import { fileAside, type FiledAside, type Filing } from './file-aside.ts';
import type { AsideDeps, AsideReading } from './aside-deps.ts';
import { deriveAnew } from './derive-anew.ts';
import { asideOf } from './list-kept-aside.ts';
import { settlingEvents, standingStudy, type StandingStudy } from './standing-study.ts';
import { putStrangersAside } from './strangers.ts';

/** Reasons that end when both are one person. */
const OF_OTHERS: ReadonlySet<QuarantineReason> = new Set<QuarantineReason>(['other-patient', 'other-establishment']);
/** Instances that are filed at a time. */
const BATCH = 200;

/**
 * Settles every study that a join or a separation of a person may have changed: those of hers, and those of which
 * something is kept aside that is hers.
 */
export function fileWhatIsJoined(deps: AsideDeps) {
  return async (person: PersonKey, run?: JobRun): Promise<void> => {
    const { records, clock } = deps;
    const reading = systemReading('clear-aside', clock.now());
    const warrant = systemWarrant('ask-for-work', 'refresh-study');
    for (const study of await studiesOf(records, reading, person)) {
      await settleStudy(deps, reading, study);
      await records.commit(warrant, joinParts({ jobs: [jobOf('refresh-study', study, clock.now())] }));
      await run?.goOn();
    }
  };
}

/**
 * Settles a study beside what is derived of it. Before, where a manifest is to list what it holds, or where nothing is
 * derived yet: a separation that came before finds no ImagingStudy of it. `derive` makes that; what changed meanwhile
 * is settled after it.
 */
export function settleAndDerive(deps: AsideDeps) {
  return async (studyInstanceUID: string, closing: boolean, derive: () => Promise<void>): Promise<void> => {
    const reading = systemReading('clear-aside', deps.clock.now());
    const isNew = (await claimOf(deps.records, reading, claimKey.imagingStudy(studyInstanceUID))) === undefined;
    if (isNew || closing) await settleStudy(deps, reading, studyInstanceUID);
    await derive();
    if (isNew) await settleStudy(deps, reading, studyInstanceUID);
  };
}

/** Makes a study hold what is of its person, and nothing else. */
async function settleStudy(deps: AsideDeps, reading: AsideReading, studyInstanceUID: string): Promise<void> {
  await putStrangersAside(deps, reading, studyInstanceUID);
  while ((await joinedOf(deps, reading, studyInstanceUID)).asides.length > 0)
    await fileJoined(deps, reading, studyInstanceUID);
}

async function studiesOf(records: RecordStore, reading: AsideReading, person: PersonKey): Promise<readonly string[]> {
  const uids = new Set<string>();
  for await (const { studyInstanceUID } of records.quarantined(reading({ person }))) uids.add(studyInstanceUID);
  for await (const page of pagesOfAll<ImagingStudy>(records, reading({ person }), 'ImagingStudy'))
    for (const { resource } of page) uids.add(studyInstanceUIDIn(resource));
  return [...uids];
}

/** Files some of what is of its person, as it is kept aside when it goes. */
async function fileJoined(deps: AsideDeps, reading: AsideReading, studyInstanceUID: string): Promise<void> {
  const { receipt, result } = await commitFresh(deps.records, async () => {
    const { owner, asides, still } = await joinedOf(deps, reading, studyInstanceUID);
    const { patient, person } = owner ?? {};
    const filed =
      patient === undefined || person === undefined
        ? []
        : await fileAll(deps, reading, asides, { patient, person, isJoined: true });
    const plan = joinParts(still, ...filed.map(({ parts }) => parts), {
      jobs: deriveAnew(studyInstanceUID, deps.clock.now()),
      audit: settlingEvents(deps.clock, asides, 'joined'),
    });
    const cleared = asides.filter((_, at) => filed[at]?.isFiled);
    return { warrant: systemWarrant('file-joined', studyInstanceUID), plan, result: cleared };
  });
  await removeDropped(deps, result, receipt);
}

/** What is kept aside of a study and is of its person: {@link BATCH} of it at most. */
async function joinedOf(
  deps: AsideDeps,
  reading: AsideReading,
  studyInstanceUID: string,
): Promise<StandingStudy & { readonly asides: readonly QuarantinedInstance[] }> {
  const standing = await standingStudy(deps, reading, studyInstanceUID);
  const { person } = standing.owner ?? {};
  if (person === undefined) return { ...standing, asides: [] };
  const { opposed, erasurePending } = await deps.records.stateOf(reading({ person }), person);
  const all = opposed || erasurePending ? [] : await asideOf(deps.records, reading, studyInstanceUID);
  const joined = all.filter((one) => OF_OTHERS.has(one.reason) && one.person === person);
  return { ...standing, asides: joined.slice(0, BATCH) };
}

/** Works out how each of some instances is filed. */
export async function fileAll(
  deps: AsideDeps,
  reading: AsideReading,
  asides: readonly QuarantinedInstance[],
  filing: Filing,
): Promise<FiledAside[]> {
  const filed: FiledAside[] = [];
  for (const aside of asides) filed.push(await fileAside(deps, reading, aside, filing));
  return filed;
}

/**
 * Removes the bytes of what was filed and stood already: each has one instance in the plan. Where another run was
 * faster, these bytes are the ones that stand.
 */
export async function removeDropped(
  { images }: Pick<AsideDeps, 'images'>,
  filed: readonly QuarantinedInstance[],
  { instances, erasedBlobs }: CommitReceipt,
): Promise<void> {
  for (const [at, { blob }] of filed.entries())
    if (instances[at] === 'already' && erasedBlobs.includes(blob.name)) await images.remove(blob.name);
}
