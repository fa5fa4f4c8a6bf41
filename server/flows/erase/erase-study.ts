/**
 * Erases a study as if it had never been: hidden in one commit, then removed in steps, each of which may be the last
 * before a crash; a job goes on with it.
 */
import { randomUUID } from 'node:crypto';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemReading, type Reading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { erasureWarrant, systemWarrant } from '../../access/system-warrant.ts';
import type { Warrant } from '../../access/warrant.ts';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { AuditRecord, Erasure, QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { eraseWithBytes, removeErasedBytes } from './erased-bytes.ts';
import { erasedParts, goesWith, type ErasedOf, type ErasedRecord } from './erased-parts.ts';
import { goneParts } from '../aside/file-aside.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { knownPatient } from '../identity/persons.ts';
import { commitFresh, joinParts, type Planned, type PlanParts } from '../write/plan-parts.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { ERASING } from '../intake/standing-instance.ts';
import { countingParts, countRows, type Counts, type Taking } from './taken.ts';

/** What the flow needs. */
export type EraseStudyDeps = {
  readonly records: RecordStore;
  readonly trail: AuditTrail;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
};

/** What was erased: counts of instances (those kept aside included), of resources, and of events that tell less now. */
export type ErasedStudy = { readonly instances: number; readonly resources: number; readonly events: number };

const BATCH = 500;
/** Jobs about a study that stands. */
const OF_STANDING = ['refresh-study', 'update-study', 'close-study', 'declare-named'] as const;
/** The job takes over when whoever began has not ended after so long. */
const TAKE_OVER_MS = 600_000;

/**
 * Erases a study; resolves when no byte of it is left in any store.
 * @throws {Fault} not-found - nothing of such a study is stored
 */
export function eraseStudy(deps: EraseStudyDeps) {
  return async (studyInstanceUID: string): Promise<ErasedStudy> => await erase(deps, studyInstanceUID, {});
}

/**
 * Erases a study with a record, and gives signs of life. What is kept aside under its UID is not of it: a number may be
 * borrowed, and what is hers goes with what else is kept aside of her (erase-aside.ts).
 * @throws {Fault} not-found - nothing of such a study is stored, or it is another's since
 */
export async function eraseStudyOf(
  deps: EraseStudyDeps,
  studyInstanceUID: string,
  of: Taking,
  run: JobRun,
): Promise<ErasedStudy> {
  return await erase(deps, studyInstanceUID, { of, run, ...(of.still === undefined ? {} : { still: of.still }) });
}

/** Makes the work of `erase-study`: goes on with an erasure that was begun. One that has ended is left alone. */
export function goOnErasing(deps: EraseStudyDeps) {
  return async (studyInstanceUID: string, run: JobRun): Promise<void> => {
    const reading = systemReading('erase-study', deps.clock.now());
    const owner = await claimOf(deps.records, reading, claimKey.study(studyInstanceUID));
    if (owner === ERASING) await erase(deps, studyInstanceUID, { run, isBegun: true });
  };
}

/**
 * How an erasure runs: as a job it says so after each step; one that was begun goes on; `of` is whose record is erased,
 * where the study goes with it, while it may (`still`).
 */
type Running = { readonly run?: JobRun; readonly isBegun?: true; readonly of?: ErasedRecord } & Pick<Taking, 'still'>;

async function erase(deps: EraseStudyDeps, studyInstanceUID: string, running: Running): Promise<ErasedStudy> {
  const { run } = running;
  const reading = systemReading('erase-study', deps.clock.now());
  const { names, resources, of, record } = await hide(deps, reading, studyInstanceUID, running);
  const all = new Set([...names, ...(await uidsOf(deps.records, reading, { studyInstanceUID, of: record }))]);
  const eraseEvents = async (): Promise<number> =>
    await deps.trail.eraseEntities(all, (events) => erasedEventsRecord(deps.clock, events, record?.task), run?.goOn);
  const before = await eraseEvents();
  await run?.goOn();
  const removed = await removeInstances(deps, reading, { studyInstanceUID, of: record }, run);
  const instances = removed + (record === undefined ? await removeAside(deps, reading, studyInstanceUID, run) : 0);
  // Whoever was sending or reading meanwhile has left events.
  const events = before + (await eraseEvents());
  await finish(deps, studyInstanceUID, instances, { of, record });
  return { instances, resources, events };
}

function warrantOf(studyInstanceUID: string): Warrant {
  return systemWarrant('erase-study', studyInstanceUID);
}

/** What an erasure has to know to its end, when what told it is gone: kept as the value of a claim. */
type Progress = {
  readonly names: readonly string[];
  readonly resources: number;
  /** Names of the bytes of documents, which go after the rows that named them. Absent in what began earlier. */
  readonly blobs?: readonly string[];
  readonly patient?: string;
  /** Whose record is erased, where the study goes with it. */
  readonly recordOf?: PersonKey;
  /** The identities of hers that go, and for which Task. Absent in what began earlier. */
  readonly identities?: readonly string[];
  readonly task?: string;
};

function recordIn({ recordOf: person, identities, task }: Progress): ErasedRecord | undefined {
  if (person === undefined) return undefined;
  if (identities === undefined || task === undefined) return { person };
  return { person, task, identities: new Set(identities) };
}

/** What keeps that. */
function keptOf({ person, identities, task }: ErasedRecord): Pick<Progress, 'recordOf' | 'identities' | 'task'> {
  if (identities === undefined || task === undefined) return { recordOf: person };
  return { recordOf: person, identities: [...identities], task };
}

/** The Patient (`Patient/id`) of a study, and her person. */
type Whose = { readonly patient: string; readonly person: PersonKey };

type Hidden = Progress & { readonly of: Whose | undefined; readonly record: ErasedRecord | undefined };

/** From here on no door shows the study, and no instance joins it. */
async function hide(
  deps: EraseStudyDeps,
  reading: Reading,
  studyInstanceUID: string,
  running: Running,
): Promise<Hidden> {
  const { receipt, result } = await commitFresh(
    deps.records,
    async () => await hidingPlan(deps, reading, studyInstanceUID, running),
  );
  await removeBlobs(deps, [...new Set([...receipt.erasedBlobs, ...(result.blobs ?? [])])]);
  return result;
}

async function hidingPlan(
  deps: EraseStudyDeps,
  reading: Reading,
  studyInstanceUID: string,
  { isBegun, of: asked, still }: Running,
): Promise<Planned<Hidden>> {
  const { records, clock } = deps;
  const now = clock.now();
  const [study, progress] = [claimKey.study(studyInstanceUID), claimKey.erasing(studyInstanceUID)];
  const owner = await claimOf(records, reading, study);
  if (owner === undefined && (await asideOf(records, reading, studyInstanceUID)).length === 0)
    throw new Fault('not-found', 'Nothing of this study is stored');
  const begun = JSON.parse((await claimOf(records, reading, progress)) ?? '{"names":[],"resources":0}') as Progress;
  const record = recordIn(begun) ?? asked;
  const { gone, forgetting } = await erasedParts(deps, reading, { studyInstanceUID, of: record }, now);
  const rows = gone.flatMap((one) => one.rows);
  const of = await whose(records, reading, owner === ERASING ? begun.patient : owner);
  if (owner !== ERASING && asked !== undefined && of !== undefined && of.person !== asked.person)
    throw new Fault('not-found', 'The study is another’s: they were separated meanwhile');
  const result: Progress = {
    names: [...begun.names, ...gone.flatMap(({ names }) => names)],
    resources: begun.resources + rows.length,
    blobs: [...(begun.blobs ?? []), ...(await blobsOf(records, reading, rows))],
    ...(of === undefined ? {} : { patient: of.patient }),
    ...(record === undefined ? {} : keptOf(record)),
  };
  const claims = [study, progress, ...gone.flatMap((one) => one.claims)];
  const plan = joinParts(
    {
      erased: [
        {
          rows,
          claims,
          jobs: OF_STANDING.map((kind) => ({ kind, subject: studyInstanceUID })),
        },
      ],
    },
    {
      claims: [
        { key: study, value: ERASING },
        { key: progress, value: JSON.stringify(result) },
      ],
      ...(isBegun === true
        ? // A study that was received after the erasure must not be taken for it.
          { preconditions: [{ kind: 'claimed', key: study, value: ERASING }] }
        : { jobs: [jobOf('erase-study', studyInstanceUID, now + TAKE_OVER_MS)] }),
    },
    // Nothing of the person changes, but a write for the same person that is under way conflicts, and finds the study
    // gone.
    { states: of === undefined ? [] : [{ person: of.person, change: {} }] },
    ...forgetting,
    (await still?.()) ?? {},
    await countedFor(deps, record, await countRows(records, reading, rows)),
  );
  return { warrant: erasureWarrant(studyInstanceUID, of?.person), plan, result: { ...result, of, record } };
}

/** The parts that count what goes with a record. */
async function countedFor(deps: EraseStudyDeps, record: ErasedRecord | undefined, more: Counts): Promise<PlanParts> {
  return record?.task === undefined ? {} : await countingParts(deps, record.task, more);
}

/** The bytes that rows refer to. */
export async function blobsOf(
  records: RecordStore,
  reading: Reading,
  rows: NonNullable<Erasure['rows']>,
): Promise<readonly string[]> {
  const binaries = rows.filter(({ type }) => type === 'Binary');
  const found = await Promise.all(binaries.map(async ({ type, id }) => await rowById(records, reading, type, id)));
  return found.flatMap((row) => row?.blob?.name ?? []);
}

async function whose(records: RecordStore, reading: Reading, patient: string | undefined): Promise<Whose | undefined> {
  const known = patient === undefined ? undefined : await knownPatient(records, reading, patient);
  return known === undefined ? undefined : { patient: known.patient, person: known.person };
}

/**
 * Every UID by which something may name a part of the study. They are gone once its instances are, so this comes
 * before.
 */
async function uidsOf(
  records: RecordStore,
  reading: Reading,
  { studyInstanceUID, of }: ErasedOf,
): Promise<ReadonlySet<string>> {
  const aside = (await asideOf(records, reading, studyInstanceUID)).filter((one) => goesWith(of, one));
  const uids = new Set([studyInstanceUID, ...aside.map(({ sopInstanceUID }) => sopInstanceUID)]);
  for (let offset = 0; ; offset += BATCH) {
    const { instances } = await records.peek(reading({ study: studyInstanceUID }), {
      kind: 'instances',
      studyInstanceUID,
      omitMetadata: true,
      offset,
      limit: BATCH,
    });
    for (const { seriesInstanceUID, sopInstanceUID } of instances) uids.add(seriesInstanceUID).add(sopInstanceUID);
    if (instances.length < BATCH) return uids;
  }
}

/**
 * Bytes go before the rows that name them: nobody is shown them any more, and no crash leaves bytes that nothing names.
 */
async function removeInstances(
  deps: EraseStudyDeps,
  reading: Reading,
  { studyInstanceUID, of }: ErasedOf,
  run: JobRun | undefined,
): Promise<number> {
  const { records, images } = deps;
  const question = { kind: 'instances', studyInstanceUID, omitMetadata: true, offset: 0, limit: BATCH } as const;
  for (let removed = 0; ;) {
    const { result: gone } = await commitFresh(records, async () => {
      const { instances } = await records.peek(reading({ study: studyInstanceUID }), question);
      for (const { blob } of instances) await images.remove(blob.name);
      const erased = [{ instances: instances.map(({ sopInstanceUID }) => sopInstanceUID) }];
      const counted = await countedFor(deps, of, { instances: instances.length });
      return { warrant: warrantOf(studyInstanceUID), plan: joinParts({ erased }, counted), result: instances.length };
    });
    if (gone === 0) return removed;
    removed += gone;
    await run?.goOn();
  }
}

/** Bytes go after the rows: whoever files an instance meanwhile keeps them, for the plan is refused. */
async function removeAside(
  deps: EraseStudyDeps,
  reading: Reading,
  studyInstanceUID: string,
  run: JobRun | undefined,
): Promise<number> {
  await removeErasedBytes(deps, studyInstanceUID);
  for (let removed = 0; ;) {
    let gone = 0;
    await eraseWithBytes(deps, studyInstanceUID, async () => {
      const aside = (await asideOf(deps.records, reading, studyInstanceUID)).slice(0, BATCH);
      gone = aside.length;
      const names = aside.map(({ blob }) => blob.name);
      return { warrant: warrantOf(studyInstanceUID), parts: goneParts(aside), names };
    });
    if (gone === 0) {
      await removeErasedBytes(deps, studyInstanceUID);
      return removed;
    }
    removed += gone;
    await run?.goOn();
  }
}

async function asideOf(
  records: RecordStore,
  reading: Reading,
  studyInstanceUID: string,
): Promise<QuarantinedInstance[]> {
  const aside: QuarantinedInstance[] = [];
  for await (const one of records.quarantined(reading({ study: studyInstanceUID }))) aside.push(one);
  return aside;
}

/**
 * The study may be received again from the commit on. Should it be the last thing that happens, a job lets the
 * store forget.
 */
async function finish(
  { records, clock }: EraseStudyDeps,
  studyInstanceUID: string,
  instances: number,
  { of, record }: { readonly of: Whose | undefined; readonly record: ErasedRecord | undefined },
): Promise<void> {
  const claims = [claimKey.study, claimKey.studySource, claimKey.imported, claimKey.named, claimKey.erasing].map(
    (key) => key(studyInstanceUID),
  );
  const forgetting = jobOf('forget-erased', randomUUID(), clock.now() + TAKE_OVER_MS);
  await records.commit(
    warrantOf(studyInstanceUID),
    joinParts({
      erased: [{ claims, jobs: [{ kind: 'erase-study', subject: studyInstanceUID }] }],
      jobs: [forgetting],
      audit: [erasedRecord(clock, instances, of, record === undefined ? 'operator' : 'passerelle')],
    }),
  );
  await records.forget();
  await records.commit(warrantOf(studyInstanceUID), joinParts({ erased: [{ jobs: [forgetting] }] }));
}

async function removeBlobs({ images }: EraseStudyDeps, names: readonly string[]): Promise<void> {
  for (const name of names) await images.remove(name);
}

/**
 * Tells of how many events the entities are erased, and for which Task (by id): who takes a part of the trail away
 * unrecorded is found by it.
 */
export function erasedEventsRecord(clock: Clock, events: number, task: string | undefined): AuditRecord {
  const what = task === undefined ? {} : { what: { reference: `Task/${task}` } };
  return recordOf(clock, ownOccasion(task === undefined ? 'operator' : 'passerelle'), 'erase-events', {
    entities: [{ ...what, role: '13', detail: { events: String(events) } }],
  });
}

/** Says that a study of the patient was erased and how large it was, not which: that would be left of it. */
function erasedRecord(
  clock: Clock,
  instances: number,
  of: Whose | undefined,
  by: 'operator' | 'passerelle',
): AuditRecord {
  return recordOf(clock, ownOccasion(by), 'erase-study', {
    ...of,
    entities: [{ role: '3', detail: { instances: String(instances) } }],
  });
}
