/**
 * Erases a study as if it had never been: hidden in one commit, then removed in steps, each of which may be the last
 * before a crash; the agenda goes on with it.
 */
import { randomUUID } from 'node:crypto';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { systemGrant, type SystemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { AuditRecord, CommitPlan, QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { erasedParts } from './erased-parts.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { knownPatient } from '../identity/persons.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import { refreshKey, updateKey } from '../intake/receive-instance.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { ERASING } from '../intake/standing-instance.ts';

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

/** The key of the agenda under which an erasure goes on. */
export function eraseKey(studyInstanceUID: string): string {
  return `erase|${studyInstanceUID}`;
}

const BATCH = 500;
/** The agenda takes over when whoever began has not ended after so long. */
const TAKE_OVER_MS = 600_000;

/**
 * Erases a study; resolves when no byte of it is left in any store.
 * @throws {Fault} not-found - nothing of such a study is stored
 */
export function eraseStudy(deps: EraseStudyDeps) {
  return async (studyInstanceUID: string): Promise<ErasedStudy> => {
    const grant = systemGrant('erase-study', deps.clock.now());
    const { names, resources, of } = await hide(deps, grant, studyInstanceUID);
    const all = new Set([...names, ...(await uidsOf(deps.records, grant, studyInstanceUID))]);
    const eraseEvents = async (): Promise<number> =>
      await deps.trail.eraseEntities(all, (events) => erasedEventsRecord(deps.clock, events));
    const before = await eraseEvents();
    const instances =
      (await removeInstances(deps, grant, studyInstanceUID)) + (await removeAside(deps, grant, studyInstanceUID));
    // Whoever was sending or reading meanwhile has left events.
    const events = before + (await eraseEvents());
    await finish(deps, studyInstanceUID, instances, of);
    return { instances, resources, events };
  };
}

/** What an erasure has to know to its end, when what told it is gone: kept as the value of a claim. */
type Progress = { readonly names: readonly string[]; readonly resources: number; readonly patient?: string };

/** The Patient (`Patient/id`) of a study, and her person. */
type Whose = { readonly patient: string; readonly person: PersonKey };

type Hidden = Progress & { readonly of: Whose | undefined };

/** From here on no door shows the study, and no instance joins it. */
async function hide(deps: EraseStudyDeps, grant: SystemGrant, studyInstanceUID: string): Promise<Hidden> {
  const { receipt, result } = await commitFresh(
    deps.records,
    async () => await hidingPlan(deps, grant, studyInstanceUID),
  );
  await removeBlobs(deps, receipt.erasedBlobs);
  return result;
}

async function hidingPlan(
  deps: EraseStudyDeps,
  grant: SystemGrant,
  studyInstanceUID: string,
): Promise<{ readonly plan: CommitPlan; readonly result: Hidden }> {
  const { records, clock } = deps;
  const now = clock.now();
  const [study, progress] = [claimKey.study(studyInstanceUID), claimKey.erasing(studyInstanceUID)];
  const owner = await records.claimed(grant, study);
  if (owner === undefined && (await asideOf(records, grant, studyInstanceUID)).length === 0)
    throw new Fault('not-found', 'Nothing of this study is stored');
  const begun = JSON.parse((await records.claimed(grant, progress)) ?? '{"names":[],"resources":0}') as Progress;
  const { gone, forgetting } = await erasedParts(deps, grant, studyInstanceUID, now);
  const rows = gone.flatMap((one) => one.rows);
  const of = await whose(records, grant, owner === ERASING ? begun.patient : owner);
  const result: Progress = {
    names: [...begun.names, ...gone.flatMap(({ names }) => names)],
    resources: begun.resources + rows.length,
    ...(of === undefined ? {} : { patient: of.patient }),
  };
  const claims = [study, progress, ...gone.flatMap((one) => one.claims)];
  const plan = joinParts(
    {
      erased: [
        {
          rows,
          claims,
          agenda: [refreshKey(studyInstanceUID), updateKey(studyInstanceUID), `close|${studyInstanceUID}`],
        },
      ],
    },
    {
      claims: [
        { key: study, value: ERASING },
        { key: progress, value: JSON.stringify(result) },
      ],
      agenda: [{ key: eraseKey(studyInstanceUID), at: now + TAKE_OVER_MS }],
    },
    // Nothing of the person changes, but a write for the same person that is under way conflicts, and finds the study
    // gone.
    { states: of === undefined ? [] : [{ person: of.person, change: {} }] },
    ...forgetting,
  );
  return { plan, result: { ...result, of } };
}

async function whose(
  records: RecordStore,
  grant: SystemGrant,
  patient: string | undefined,
): Promise<Whose | undefined> {
  const known = patient === undefined ? undefined : await knownPatient(records, grant, patient);
  return known === undefined ? undefined : { patient: known.patient, person: known.person };
}

/**
 * Every UID by which something may name a part of the study. They are gone once its instances are, so this comes
 * before.
 */
async function uidsOf(
  records: RecordStore,
  grant: SystemGrant,
  studyInstanceUID: string,
): Promise<ReadonlySet<string>> {
  const aside = await asideOf(records, grant, studyInstanceUID);
  const uids = new Set([studyInstanceUID, ...aside.map(({ sopInstanceUID }) => sopInstanceUID)]);
  for (let offset = 0; ; offset += BATCH) {
    const { instances } = await records.peek(grant, {
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
  { records, images }: EraseStudyDeps,
  grant: SystemGrant,
  studyInstanceUID: string,
): Promise<number> {
  const question = { kind: 'instances', studyInstanceUID, omitMetadata: true, offset: 0, limit: BATCH } as const;
  for (let removed = 0; ;) {
    const { instances } = await records.peek(grant, question);
    if (instances.length === 0) return removed;
    for (const { blob } of instances) await images.remove(blob.name);
    await records.commit(joinParts({ erased: [{ instances: instances.map(({ sopInstanceUID }) => sopInstanceUID) }] }));
    removed += instances.length;
  }
}

async function removeAside(
  { records, images }: EraseStudyDeps,
  grant: SystemGrant,
  studyInstanceUID: string,
): Promise<number> {
  for (let removed = 0; ;) {
    const aside = (await asideOf(records, grant, studyInstanceUID)).slice(0, BATCH);
    if (aside.length === 0) return removed;
    for (const { blob } of aside) await images.remove(blob.name);
    await records.commit(joinParts({ erased: [{ quarantined: aside }] }));
    removed += aside.length;
  }
}

async function asideOf(
  records: RecordStore,
  grant: SystemGrant,
  studyInstanceUID: string,
): Promise<QuarantinedInstance[]> {
  const aside: QuarantinedInstance[] = [];
  for await (const one of records.quarantined(grant)) if (one.studyInstanceUID === studyInstanceUID) aside.push(one);
  return aside;
}

/**
 * The study may be received again from the commit on. Should it be the last thing that happens, the agenda lets the
 * store forget.
 */
async function finish(
  { records, clock }: EraseStudyDeps,
  studyInstanceUID: string,
  instances: number,
  of: Whose | undefined,
): Promise<void> {
  const claims = [claimKey.study, claimKey.studySource, claimKey.imported, claimKey.erasing].map((key) =>
    key(studyInstanceUID),
  );
  const forgetting = `forget|${randomUUID()}`;
  await records.commit(
    joinParts({
      erased: [{ claims, agenda: [eraseKey(studyInstanceUID)] }],
      agenda: [{ key: forgetting, at: clock.now() + TAKE_OVER_MS }],
      audit: [erasedRecord(clock, instances, of)],
    }),
  );
  await records.forget();
  await records.commit(joinParts({ erased: [{ agenda: [forgetting] }] }));
}

/** Bytes of documents: what a crash leaves of them is swept. */
async function removeBlobs({ images }: EraseStudyDeps, names: readonly string[]): Promise<void> {
  for (const name of names) await images.remove(name);
}

/** Tells of how many events the entities are erased: who takes a part of the trail away unrecorded is found by it. */
function erasedEventsRecord(clock: Clock, events: number): AuditRecord {
  return recordOf(clock, ownOccasion('operator'), 'erase-events', {
    entities: [{ role: '13', detail: { events: String(events) } }],
  });
}

/** Says that a study of the patient was erased and how large it was, not which: that would be left of it. */
function erasedRecord(clock: Clock, instances: number, of: Whose | undefined): AuditRecord {
  return recordOf(clock, ownOccasion('operator'), 'erase-study', {
    ...of,
    entities: [{ role: '3', detail: { instances: String(instances) } }],
  });
}
