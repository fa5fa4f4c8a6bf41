/**
 * Brings items to their states: to the ground that there is, after an establishment has recorded that it informed a
 * patient, or that it did not, and after the region file says something else; and to the restrictions that an officer
 * granted. An item is put again with all that shows it, in one plan. It compares what stands with what should, so it
 * may run at any time. Both are read for each item, and what is said while it is put counts: where a plan would rest on
 * that no Consent or restriction has come meanwhile, which none can, the item is looked at again behind it.
 */
import type { DiagnosticReport, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import { isInState, withState } from '../../../profiles/said-label.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { fhirType, STORED_TYPES, type StoredType } from '../../../profiles/types/visibility.ts';
import { systemReading, type NarrowReading, type SystemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { ownMark } from '../directory/region-mark.ts';
import { knownPatient } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findById, pagesOfAll, rowById, type Found } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { tellingReadersOf } from '../notices/tell-news.ts';
import { establishmentsOf } from '../study/linked-studies.ts';
import { allInstances, filersOf, type StudyReading } from '../study/study-content.ts';
import { relabelledReportParts, relabelledStudiesParts } from '../study/relabelled-parts.ts';
import type { UpgradeStep } from '../upgrade/upgrade-step.ts';
import { changed, sameContent } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import { commitFresh, examFiledBy, joinParts, type PlanParts } from '../write/plan-parts.ts';
import { filedAt, groundOfAll, settlingOf, type Ground } from './ground.ts';
import { restrictedAt, type FiledItem, type Restricted } from './restrictions.ts';

/** What the work needs. */
export type SettleGroundDeps = {
  readonly records: RecordStore;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  readonly clock: Clock;
};

/** Items, persons, and exams of several establishments. */
type SettleReading = NarrowReading & StudyReading;

/** Types of what is on a ground of its own; documents of reports and manifests are as the item that they show. */
export const GROUNDED: readonly StoredType[] = STORED_TYPES.filter((type) => {
  const { label, writers } = fhirType(type);
  return label === 'own' && (writers !== 'derived' || type === 'ImagingStudy');
});

/**
 * Makes the work of `settle-ground`.
 * @throws {Fault} transient - the region file of this process is not that of the store
 */
export function settleGround(deps: SettleGroundDeps) {
  return async ({ subject }: Pick<TakenJob<'settle-ground'>, 'subject'>, run: JobRun): Promise<void> => {
    const { records, clock } = deps;
    const reading = systemReading('settle-ground', clock.now());
    await ownMark(records, deps.region.serial, clock.now());
    const settled = await settledBy(deps, reading, subject);
    if (settled === undefined) return;
    const { person, ...of } = settled;
    await settleAll(deps, reading({ person }), { ...of, withRestrictions: true }, run);
  };
}

/** Whose items the subject of a job means, and under which identity: of a Task all. */
async function settledBy(
  { records }: Pick<SettleGroundDeps, 'records'>,
  reading: SettleReading,
  subject: string,
): Promise<{ readonly person: PersonKey; readonly subject?: string } | undefined> {
  const [type, id = ''] = subject.split('/');
  if (type !== 'Task') {
    const known = await knownPatient(records, reading, subject);
    return known && { person: known.person, subject };
  }
  const { person } = (await rowById(records, reading, 'Task', id)) ?? {};
  return person === undefined ? undefined : { person };
}

/**
 * Settles the items that a grant reaches, one after the other. What cannot be put keeps no other as it was: the rest is
 * settled all the same.
 * @throws {unknown} what the first of them failed for, at the end
 */
export async function settleAll(
  deps: SettleGroundDeps,
  grant: SystemGrant,
  settling: Settling,
  run: JobRun,
): Promise<void> {
  const failures: unknown[] = [];
  for (const type of GROUNDED)
    for await (const page of pagesOfAll(deps.records, grant, type))
      for (const { row } of page) {
        // An exam is filed under one identity, and may be of others of hers, too.
        const isOf = [undefined, row.subject].includes(settling.subject) || row.type === 'ImagingStudy';
        if (!isOf) continue;
        await settleItem(deps, row, settling).catch((error: unknown) => failures.push(error));
        await run.goOn();
      }
  if (failures.length > 0) throw failures[0];
}

/** Of earlier servers every item was shared. */
export function adoptGrounds(deps: SettleGroundDeps): readonly UpgradeStep[] {
  return GROUNDED.map((type) => ({
    name: `grounds of ${type}`,
    reason: 'settle-ground',
    type,
    where: [],
    work: async (row) => {
      const { establishments, informs } = deps.region;
      // What all informed of when it was filed is on a ground, whoever filed it.
      if (row.version > 1 || !establishments.every((one) => informs(one, row.updated)))
        await settleItem(deps, row, { isTakenOver: true });
      return 0;
    },
  }));
}

/**
 * What is settled of which establishments (by default of all), and under which identity (`Patient/id`); restrictions
 * are left as they are unless they are asked for.
 */
type Settling = {
  readonly of?: readonly string[];
  readonly subject?: string;
  readonly withRestrictions?: boolean;
  /** Of an earlier server, before this process loads its region file. */
  readonly isTakenOver?: boolean;
};

async function settleItem(deps: SettleGroundDeps, row: InternalRow, settling: Settling): Promise<void> {
  const { person } = row;
  if (person === undefined || row.subject === undefined) return;
  await commitFresh(deps.records, async () => {
    const reading = systemReading('settle-ground', deps.clock.now());
    const found = await findById(deps.records, reading, row.type, row.id);
    const plan = joinParts(...(found === undefined ? [] : await partsOf(deps, reading, found, settling)));
    return { warrant: systemWarrant('settle-ground', found?.row.person ?? person), plan, result: undefined };
  });
}

async function partsOf(
  deps: SettleGroundDeps,
  reading: SettleReading,
  { row, resource }: Found<Resource>,
  { of, withRestrictions = false, isTakenOver = false }: Settling,
): Promise<readonly PlanParts[]> {
  const now = deps.clock.now();
  // Before what the region file says is asked: another one that is loaded meanwhile refuses the plan.
  const mark = isTakenOver ? {} : await ownMark(deps.records, deps.region.serial, now);
  const judged = await groundOfItem(deps, reading, { row, resource }, of);
  if (judged === undefined) return [];
  const { isRestricted, rests } = await restrictionOf(deps, reading, { row, resource }, judged, withRestrictions);
  const settled = withState(withState(resource, 'unshared', !judged.isShared), 'restricted', isRestricted);
  if (sameContent(settled, resource)) return [];
  // What has come to be shared opens her record to others.
  const isOpened = judged.isShared && !judged.wasShared;
  // No plan rests on that nothing has come: no Consent, no restriction.
  const restsOnNone = !judged.isShared || (isInState(resource, 'restricted') && !isRestricted);
  const again = isTakenOver || row.subject === undefined || !restsOnNone ? [] : [settlingOf(row.subject, now)];
  return [
    ...(await itemParts(deps, reading, { row, resource: settled }, judged.sources)),
    { ...judged.rests, jobs: [...again, ...(isOpened ? tellingReadersOf(row, now) : [])] },
    rests,
    mark,
  ];
}

/** Whether an item is restricted, where that is asked, and what the plan rests on. */
async function restrictionOf(
  { records, clock }: Pick<SettleGroundDeps, 'records' | 'clock'>,
  reading: SettleReading,
  { row, resource }: Found<Resource>,
  judged: FiledItem,
  isAsked: boolean,
): Promise<Restricted> {
  const wasRestricted = isInState(resource, 'restricted');
  if (!isAsked || row.person === undefined) return { isRestricted: wasRestricted, rests: {} };
  // When it was filed may be known no more: what was restricted stays so while a restriction of its source stands.
  const filed = wasRestricted ? { ...judged, at: 0 } : judged;
  return await restrictedAt(records, reading, row.person, filed, clock.now());
}

/** Who filed an item when, who of them is looked at (the first such), whether it was shared, and its ground. */
export type JudgedItem = Ground & FiledItem & { readonly organization: string; readonly wasShared: boolean };

/**
 * Finds the ground of an item that stands; undefined where it comes from none of some establishments, by default of
 * any. Of what one filed that the region file names no more the ground stays as it is.
 */
export async function groundOfItem(
  deps: Omit<SettleGroundDeps, 'indexer'>,
  reading: SettleReading,
  { row, resource }: Found<Resource>,
  of?: readonly string[],
): Promise<JudgedItem | undefined> {
  const { person, subject } = row;
  if (person === undefined || subject === undefined) return undefined;
  const sources = await establishmentsOf(deps.records, reading, person, `${row.type}/${row.id}`);
  const organization = sources.find((source) => of?.includes(source) ?? true);
  if (organization === undefined) return undefined;
  const at = await filedAt(deps.records, reading, row);
  const wasShared = !isInState(resource, 'unshared');
  const filers = sources.length > 1 ? await filersIn(deps, reading, { person, subject }, resource) : undefined;
  const filings = sources.map((source) => ({ organization: source, subject: filers?.get(source) ?? subject, at }));
  const ground = await groundOfAll(deps, reading, { filings, wasShared }, deps.clock.now());
  return { ...ground, organization, sources, at, wasShared };
}

/** Under which identity each of several filed an exam; undefined of anything else. */
async function filersIn(
  { records }: Pick<SettleGroundDeps, 'records'>,
  reading: SettleReading,
  { person, subject }: { readonly person: PersonKey; readonly subject: string },
  resource: Resource,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (resource.resourceType !== 'ImagingStudy') return undefined;
  const study = studyInstanceUIDIn(resource);
  const rows = await allInstances(records, reading({ study }), study);
  const own = rows.filter((row) => row.person === person);
  return filersOf(own, subject);
}

async function itemParts(
  deps: SettleGroundDeps,
  reading: NarrowReading,
  { row, resource }: Found<Resource>,
  sources: readonly string[],
): Promise<readonly PlanParts[]> {
  const now = deps.clock.now();
  switch (resource.resourceType) {
    case 'ImagingStudy': {
      const study: Found<ImagingStudy> = { row, resource };
      return await relabelledStudiesParts(deps, reading, [study], now);
    }
    case 'DiagnosticReport': {
      const report: Found<DiagnosticReport> = { row, resource };
      return [(await relabelledReportParts(deps, reading, report, 'server', now)) ?? {}];
    }
    default: {
      // It may have been filed while it was shared.
      const { services: ownServices } = examFiledBy(deps.region, ...sources);
      const facts = { ...aboutRow(row), released: row.released, ownServices };
      return [changed(deps.indexer, row, resource, now, facts)];
    }
  }
}
