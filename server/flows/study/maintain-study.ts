/**
 * Keeps what is derived from a study as it should be: its ImagingStudy, its manifest once it is closed, the documents
 * of its reports. One story that compares what stands with what should, so it may run at any time and in any order.
 */
import type { ImagingStudy, Resource } from '@medplum/fhirtypes';
import { IMPORTED_TAG } from '../../../profiles/codes.ts';
import { isValidated } from '../../../profiles/documents/diagnostic-report.ts';
import { isReservedSystem } from '../../../profiles/reserved-systems.ts';
import { buildImagingStudy } from '../../../profiles/imaging/imaging-study-from-dicom.ts';
import { isInState, masksOfReports, withMasksOfReports, withState } from '../../../profiles/said-label.ts';
import { systemReading, type NarrowReading, type SystemGrant } from '../../access/grant.ts';
import { itemIn, principal } from '../../access/right.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { declaringOf } from '../named/declare-named.ts';
import { lookedAt, unseenOf } from '../named/looked-at.ts';
import { namesOfStudy } from '../named/names-of-study.ts';
import { newId } from '../new-id.ts';
import { filedAt, groundOfAll } from '../ground/ground.ts';
import { restrictedAt } from '../ground/restrictions.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { hiddenParts } from './hidden-manifest.ts';
import { manifestParts } from './manifest-parts.ts';
import { changed } from '../write/changed-put.ts';
import { examFiledBy, commitFresh, hiddenPut, joinParts, oneOf, type PlanParts } from '../write/plan-parts.ts';
import { putAside } from './put-aside.ts';
import { reportsOfStudy, reportUpkeep } from './report-upkeep.ts';
import type { MaintainStudyDeps, StudyAtHand } from './study-at-hand.ts';
import { claimOf, findById } from '../internal-reads.ts';
import { filersOf, loadStudy, manifestsOf } from './study-content.ts';
import type { StoredSeries, StoredStudy } from './study-content.ts';
import { readOf, UnreadableInstance } from './unreadable-instance.ts';

/** Instances that are put aside in one turn; what comes after them has its turn later. */
const MOST_ASIDE = 100;

/**
 * Brings what is derived from a study up to date; `closing` also gives it the manifest of what it holds now. An
 * instance that cannot be read is put aside, and the study derived without it. `since` is when it was asked for first
 * (epoch milliseconds, by default now): of a new study something was stored by then.
 */
export function maintainStudy(deps: MaintainStudyDeps) {
  return async (studyInstanceUID: string, closing: boolean, since?: number): Promise<void> => {
    for (let aside = 0; ; aside += 1) {
      try {
        return await deriveStudy(deps, { studyInstanceUID, closing, since });
      } catch (error) {
        if (!(error instanceof UnreadableInstance) || aside === MOST_ASIDE) throw error;
        await putAside(deps, systemReading('maintain-study', deps.clock.now()), error);
      }
    }
  };
}

type Asked = { readonly studyInstanceUID: string; readonly closing: boolean; readonly since: number | undefined };

async function deriveStudy(deps: MaintainStudyDeps, asked: Asked): Promise<void> {
  let made: readonly string[] = [];
  const { receipt } = await commitFresh(deps.records, async () => {
    // Of a plan that was refused, so that nothing names them: the study may have been erased meanwhile.
    for (const name of made) await deps.images.remove(name);
    const plan = joinParts(...(await partsOf(deps, asked)));
    made = (plan.puts ?? []).flatMap(({ blob }) => blob?.name ?? []);
    return { warrant: systemWarrant('maintain-study', asked.studyInstanceUID), plan, result: undefined };
  });
  for (const name of receipt.erasedBlobs) await deps.images.remove(name);
}

async function partsOf(deps: MaintainStudyDeps, { studyInstanceUID, closing, since }: Asked): Promise<PlanParts[]> {
  const now = deps.clock.now();
  const reading = systemReading('maintain-study', now);
  const study = await loadStudy(deps.records, reading, studyInstanceUID);
  if (study === undefined) return await emptiedParts(deps, reading, studyInstanceUID, now);
  // What somebody says of another person's study is no part of it.
  const { person } = study.patient;
  const ofPerson = reading({ person });
  const { id, claim } = await imagingStudyId(deps.records, reading, studyInstanceUID);
  const all = await manifestsOf(deps.records, ofPerson, id, 'all');
  // Those of another identity tell of a time when the study was filed under that.
  const manifests = all.filter(({ row }) => row.subject === study.patient.patient);
  const standing = await findById<ImagingStudy>(deps.records, reading, 'ImagingStudy', id);
  const isOtherOrigin = standing !== undefined && !(await isByAuthors(deps, ofPerson, standing.row, study.sources));
  const imported = (await claimOf(deps.records, reading, claimKey.imported(studyInstanceUID))) !== undefined;
  const labelled = markedAs(imported, keepingLabel(toImagingStudy(deps, study, id), standing?.resource));
  const known = { study, standing: standing?.row, isOtherOrigin, since, now };
  const { item: built, rests } = await inItsState(deps, reading, known, labelled);
  const reports = await reportsOfStudy(deps, reading, { ...study, person }, built, now);
  const counting = reports.filter(({ counts }) => counts).map(({ resource }) => resource);
  const imagingStudy = withMasksOfReports(built, masksOfReports(counting));
  const released = counting.some(isValidated);
  const hand: StudyAtHand = { study, imagingStudy, manifests, released, isOtherOrigin, now };
  const manifest = await manifestParts(deps, reading, hand, closing);
  const exam = imagingStudyParts(deps, hand, standing?.row);
  return [
    {
      claims: [claim],
      preconditions: [{ kind: 'claimed', key: claimKey.study(studyInstanceUID), value: study.patient.patient }],
    },
    rests,
    exam,
    await namedJobs(deps, reading, hand, exam),
    manifest.isMade ? asItStood(standing?.row) : {},
    manifest.parts,
    ...(await reportUpkeep(
      deps,
      reading,
      reports,
      [{ studyInstanceUID, person, imagingStudy, sources: study.sources, manifests: manifest.current }],
      now,
    )),
  ];
}

/**
 * An exam that holds nothing any more, as all of it was put aside, is hidden with its manifests until it does: its id
 * and its label stay. Reports that told of it do so no more.
 */
async function emptiedParts(
  deps: MaintainStudyDeps,
  reading: NarrowReading,
  studyInstanceUID: string,
  now: number,
): Promise<PlanParts[]> {
  const { records, indexer } = deps;
  const id = await claimOf(records, reading, claimKey.imagingStudy(studyInstanceUID));
  const standing = id === undefined ? undefined : await findById<ImagingStudy>(records, reading, 'ImagingStudy', id);
  if (standing?.row.person === undefined) return [];
  const { row, resource } = standing;
  const { person, subject } = standing.row;
  const grant = reading({ person });
  if (await isByAuthors(deps, grant, row, [])) return [];
  const emptied = { studyInstanceUID, person, imagingStudy: resource, sources: [], manifests: [] };
  const manifests = await manifestsOf(records, grant, row.id, 'all');
  const reports = await reportsOfStudy(deps, reading, emptied, resource, now);
  return [
    asItStood(row),
    { puts: [hiddenPut(indexer, resource, now, { person, ...(subject === undefined ? {} : { subject }) })] },
    ...manifests.map((manifest) => hiddenParts(indexer, manifest, now)),
    ...(await reportUpkeep(deps, reading, reports, [emptied], now)),
  ];
}

/**
 * A manifest is made of a study as it stands: a report that came meanwhile has released the study without it. Where the
 * study changes, that says so, too.
 */
function asItStood(row: InternalRow | undefined): PlanParts {
  if (row === undefined) return {};
  const { id, version } = row;
  return { preconditions: [{ kind: 'version', type: 'ImagingStudy', id, version }] };
}

async function imagingStudyId(records: RecordStore, reading: NarrowReading, studyInstanceUID: string) {
  const key = claimKey.imagingStudy(studyInstanceUID);
  const id = (await claimOf(records, reading, key)) ?? newId();
  return { id, claim: { key, value: id } };
}

/** @throws {UnreadableInstance} the header of one series cannot be put into words: each is tried by itself then */
function toImagingStudy(deps: MaintainStudyDeps, study: StoredStudy, id: string): ImagingStudy {
  const [organization] = study.sources;
  const build = (series: readonly StoredSeries[]): ImagingStudy =>
    buildImagingStudy({
      id,
      studyInstanceUID: study.studyInstanceUID,
      patient: study.patient.patient,
      ...patientIdentifierOf(study),
      endpoint: deps.endpoint,
      viewer: `${deps.publicUrl()}/voir/${id}`,
      organization,
      accessionSystem: deps.region.domainOf(organization).accessionSystem,
      timeZone: deps.timeZone,
      series,
    });
  try {
    return build(study.series);
  } catch (error) {
    for (const one of study.series) {
      const [speaker] = one.instances;
      if (speaker !== undefined) readOf(speaker, () => build([one]));
    }
    throw error;
  }
}

/** Whoever was sent without a number is known by her study. */
function patientIdentifierOf({ patient: { own } }: StoredStudy) {
  return own.value === '' || isReservedSystem(own.system) ? {} : { patientIdentifier: own };
}

function imagingStudyParts(
  deps: MaintainStudyDeps,
  { study, imagingStudy, released, isOtherOrigin, now }: StudyAtHand,
  standing: InternalRow | undefined,
): PlanParts {
  const { person, patient } = study.patient;
  const facts = { person, subject: patient, released, origin: examFiledBy(deps.region, ...study.sources) };
  const parts = changed(deps.indexer, standing, imagingStudy, now, facts, isOtherOrigin);
  // She may see it now, or somebody else may.
  const isNews = standing === undefined || isOtherOrigin || (released && !standing.released);
  return isNews ? { ...parts, jobs: [tellingOf(`ImagingStudy/${imagingStudy.id}`, now)] } : parts;
}

/** When it changes, whom its images name is looked at, where that means anything and was not done. */
async function namedJobs(
  { records, region }: MaintainStudyDeps,
  reading: NarrowReading,
  { study: { studyInstanceUID, patient, series }, now }: StudyAtHand,
  { puts = [] }: PlanParts,
): Promise<PlanParts> {
  const names = puts.length === 0 ? [] : namesOfStudy(region, { series });
  if (names.length === 0) return {};
  const seen = await lookedAt(records, reading, studyInstanceUID);
  return unseenOf(seen, patient.patient, names).length === 0 ? {} : { jobs: [declaringOf(studyInstanceUID, now)] };
}

/** Whether the authors of a study are those who sent what stands of it. */
async function isByAuthors(
  { records }: MaintainStudyDeps,
  grant: SystemGrant,
  { id, person }: InternalRow,
  sources: readonly string[],
): Promise<boolean> {
  const item = `ImagingStudy/${id}`;
  const rights = person === undefined ? [] : await records.rightsOf(grant, person, item);
  const authors = rights.filter(({ relation, scope }) => relation === 'author' && itemIn(scope) === item);
  const holders = new Set<string>(authors.map(({ principal: holder }) => holder));
  return holders.size === sources.length && sources.every((source) => holders.has(principal.establishment(source)));
}

/** An exam that was imported says so, whatever came when. */
function markedAs(imported: boolean, study: ImagingStudy): ImagingStudy {
  return imported ? { ...study, meta: { ...study.meta, tag: [IMPORTED_TAG] } } : study;
}

type Known = Pick<StudyAtHand, 'study' | 'isOtherOrigin' | 'now'> &
  Pick<Asked, 'since'> & { readonly standing: InternalRow | undefined };

/**
 * What stands of the same identity stays in its state, unless others have sent of it. An exam of several is on the
 * ground of each of them.
 */
async function inItsState(
  deps: MaintainStudyDeps,
  reading: NarrowReading,
  { study, standing, isOtherOrigin, since, now }: Known,
  item: ImagingStudy,
): Promise<{ readonly item: ImagingStudy; readonly rests: PlanParts }> {
  const { patient, sources, series } = study;
  const { patient: subject, person } = patient;
  const kept = standing?.subject === subject ? standing : undefined;
  if (kept !== undefined && !isOtherOrigin) return { item, rests: {} };
  const at = kept === undefined ? now : await filedAt(deps.records, reading, kept);
  const instances = series.flatMap((one) => one.instances);
  const filers = filersOf(instances, subject);
  const filings = sources.map((one) => ({ organization: one, subject: filers.get(one) ?? subject, at }));
  const wasShared = kept && !isInState(item, 'unshared');
  const { isShared, rests } = await groundOfAll(deps, reading, { filings, wasShared }, now);
  const onGround = withState(item, 'unshared', !isShared);
  if (kept !== undefined) return { item: onGround, rests };
  const filed = { sources, at: Math.min(now, since ?? now) };
  const restricted = await restrictedAt(deps.records, reading, person, filed, now);
  return {
    item: withState(onGround, 'restricted', restricted.isRestricted),
    rests: oneOf([rests, restricted.rests]),
  };
}

/** A label that was set since stays: what is derived from DICOM never lowers it. */
function keepingLabel<T extends Resource>(built: T, standing: T | undefined): T {
  const security = standing?.meta?.security ?? built.meta?.security;
  return security === undefined ? built : { ...built, meta: { ...built.meta, security } };
}
