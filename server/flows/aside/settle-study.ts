/**
 * After persons were joined or separated: a study takes up what was kept aside of the person that it is of, and keeps
 * aside what is another person's since. It compares what stands, so it may run at any time.
 */
import { studyEntity } from '../../../profiles/audit/audit-event.ts';
import { systemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type {
  AuditRecord,
  CommitReceipt,
  InstanceRow,
  QuarantinedInstance,
  QuarantineReason,
} from '../../ports/commit-plan.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { knownPatient, type KnownPatient } from '../identity/persons.ts';
import { claimOf, pagesOfAll } from '../internal-reads.ts';
import { ERASING } from '../intake/standing-instance.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import { fileAside, type FiledAside, type Filing } from './file-aside.ts';
import type { AsideDeps, AsideReading } from './aside-deps.ts';
import { deriveAnew } from './derive-anew.ts';
import { asideOf } from './list-kept-aside.ts';

/** Reasons that end when both are one person. */
const OF_OTHERS: ReadonlySet<QuarantineReason> = new Set<QuarantineReason>(['other-patient', 'other-establishment']);
/** Instances that are looked at, and written, at a time. */
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
 * Settles a study of which nothing is derived yet: a separation that came before finds no ImagingStudy of it. `derive`
 * makes that; what changed meanwhile is settled after it.
 */
export function settleNewStudy(deps: AsideDeps) {
  return async (studyInstanceUID: string, derive: () => Promise<void>): Promise<void> => {
    const reading = systemReading('clear-aside', deps.clock.now());
    const isNew = (await claimOf(deps.records, reading, claimKey.imagingStudy(studyInstanceUID))) === undefined;
    if (isNew) await settleStudy(deps, reading, studyInstanceUID);
    await derive();
    if (isNew) await settleStudy(deps, reading, studyInstanceUID);
  };
}

/** Makes a study hold what is of its person, and nothing else. */
async function settleStudy(deps: AsideDeps, reading: AsideReading, studyInstanceUID: string): Promise<void> {
  const reference = await claimOf(deps.records, reading, claimKey.study(studyInstanceUID));
  if (reference === undefined || reference === ERASING) return;
  const owner = await knownPatient(deps.records, reading, reference);
  if (owner === undefined) return;
  await putStrangersAside(deps, reading, studyInstanceUID, owner);
  await fileJoined(deps, reading, studyInstanceUID, reference, owner);
}

async function studiesOf(records: RecordStore, reading: AsideReading, person: PersonKey): Promise<readonly string[]> {
  const uids = new Set<string>();
  for await (const { studyInstanceUID } of records.quarantined(reading({ person }))) uids.add(studyInstanceUID);
  for await (const page of pagesOfAll<ImagingStudy>(records, reading({ person }), 'ImagingStudy'))
    for (const { resource } of page) uids.add(studyInstanceUIDIn(resource));
  return [...uids];
}

async function putStrangersAside(
  deps: AsideDeps,
  reading: AsideReading,
  studyInstanceUID: string,
  owner: KnownPatient,
): Promise<void> {
  const strangers = await strangersOf(deps, reading, studyInstanceUID, owner);
  for (let at = 0; at < strangers.length; at += BATCH) {
    const quarantined = strangers.slice(at, at + BATCH).map((row) => asideOfRow(deps, row));
    const erased = [{ instances: quarantined.map(({ sopInstanceUID }) => sopInstanceUID) }];
    const audit = eventsOf(deps.clock, quarantined, 'quarantined: other-patient');
    const jobs = deriveAnew(studyInstanceUID, deps.clock.now());
    const plan = joinParts({ erased, quarantined, jobs, audit });
    await deps.records.commit(systemWarrant('put-aside', studyInstanceUID), plan);
  }
}

/** Instances of another person than the study. */
async function strangersOf(
  { records }: AsideDeps,
  reading: AsideReading,
  studyInstanceUID: string,
  { person }: KnownPatient,
): Promise<InstanceRow[]> {
  const strangers: InstanceRow[] = [];
  const place = { kind: 'instances', studyInstanceUID, omitMetadata: true, limit: BATCH } as const;
  for (let offset = 0; ; offset += BATCH) {
    const { instances } = await records.peek(reading({ study: studyInstanceUID }), { ...place, offset });
    strangers.push(...instances.filter((row) => row.person !== person));
    if (instances.length < BATCH) return strangers;
  }
}

function asideOfRow({ clock }: AsideDeps, row: InstanceRow): QuarantinedInstance {
  const { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, person, subject } = row;
  const named = { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, person, subject };
  return { ...named, reason: 'other-patient', receivedAt: clock.now() };
}

async function fileJoined(
  deps: AsideDeps,
  reading: AsideReading,
  studyInstanceUID: string,
  reference: string,
  owner: KnownPatient,
): Promise<void> {
  const { opposed, erasurePending } = await deps.records.stateOf(reading({ person: owner.person }), owner.person);
  if (opposed || erasurePending) return;
  const all = await asideOf(deps.records, reading, studyInstanceUID);
  const joined = all.filter(({ reason, person }) => OF_OTHERS.has(reason) && person === owner.person);
  for (let at = 0; at < joined.length; at += BATCH)
    await fileBatch(deps, reading, joined.slice(at, at + BATCH), {
      patient: reference,
      person: owner.person,
      isJoined: true,
    });
}

async function fileBatch(
  deps: AsideDeps,
  reading: AsideReading,
  asides: readonly QuarantinedInstance[],
  filing: Filing,
): Promise<void> {
  const study = asides[0]?.studyInstanceUID ?? '';
  const { receipt, result } = await commitFresh(deps.records, async () => {
    const filed = await fileAll(deps, reading, asides, filing);
    const events = eventsOf(deps.clock, [{ ...asides[0], person: filing.person, studyInstanceUID: study }], 'joined');
    const jobs = deriveAnew(study, deps.clock.now());
    const plan = joinParts(...filed.map(({ parts }) => parts), { jobs, audit: events });
    return { warrant: systemWarrant('file-joined', study), plan, result: asides.filter((_, at) => filed[at]?.isFiled) };
  });
  await removeDropped(deps, result, receipt);
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

/** One event for each person. */
function eventsOf(
  clock: Clock,
  of: readonly Pick<QuarantinedInstance, 'person' | 'studyInstanceUID'>[],
  outcomeDesc: string,
): AuditRecord[] {
  const persons = new Map(of.flatMap(({ person, ...one }) => (person === undefined ? [] : [[person, one] as const])));
  return [...persons].map(([person, { studyInstanceUID }]) =>
    recordOf(clock, ownOccasion('passerelle'), 'close-study', {
      person,
      outcomeDesc,
      entities: [studyEntity(studyInstanceUID)],
    }),
  );
}
