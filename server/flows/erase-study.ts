/**
 * Erases a study as if it had never been: hidden in one commit, then removed in steps, each of which may be the last before a
 * crash; the agenda goes on with it. A report of this study alone goes with it; one of other studies, too, forgets this one.
 */
import type { DiagnosticReport, DocumentReference, Identifier, ImagingStudy } from '@medplum/fhirtypes';
import { buildAuditEvent } from '../../profiles/audit-event.ts';
import { CODE_SYSTEM, DICOM_UID } from '../../profiles/codes.ts';
import { studiesOf, withoutStudy } from '../../profiles/diagnostic-report.ts';
import { Fault } from '../../profiles/fault.ts';
import type { Indexer } from '../../profiles/search-index.ts';
import { systemGrant, type SystemGrant } from '../access/grant.ts';
import type { AuditTrail } from '../ports/audit-trail.ts';
import type { Clock } from '../ports/clock.ts';
import type { Erasure, QuarantinedInstance } from '../ports/commit-plan.ts';
import type { ImageStore } from '../ports/image-store.ts';
import type { RecordStore } from '../ports/record-store.ts';
import { newEventId } from './event-id.ts';
import { knownPatient } from './persons.ts';
import { joinParts, putOf, type PlanParts } from './plan-parts.ts';
import { refreshKey, updateKey } from './receive-instance.ts';
import type { RegionIndex } from './region-index.ts';
import { reportDocumentParts, type ReportAtHand } from './report-document-parts.ts';
import { ERASING, importedKey, studyKey, studySourceKey } from './standing-instance.ts';
import { findAll, findById, reportsOf, type Found } from './study-content.ts';
import { reportKeys } from './submit-report.ts';

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
    const now = deps.clock.now();
    const grant = systemGrant('erase-study', now);
    const owner = await deps.records.claimed(grant, studyKey(studyInstanceUID));
    const aside = await asideOf(deps.records, grant, studyInstanceUID);
    if (owner === undefined && aside.length === 0) throw new Fault('not-found', 'Nothing of this study is stored');
    const hidden = await hide(deps, grant, studyInstanceUID, now);
    const names = new Set([...hidden.names, ...(await uidsOf(deps.records, grant, studyInstanceUID, aside))]);
    const before = await deps.trail.eraseEntities(names);
    const instances = (await removeInstances(deps, grant, studyInstanceUID)) + (await removeAside(deps, aside));
    // An association that was sending meanwhile has recorded what it sent.
    const events = before + (await deps.trail.eraseEntities(names));
    await deps.records.forget();
    const claims = [studyKey, studySourceKey, importedKey].map((key) => key(studyInstanceUID));
    await commit(deps, { erased: [{ claims, agenda: [eraseKey(studyInstanceUID)] }], audit: [{ event: eventOf(deps.clock, instances), persons: [] }] });
    await deps.records.forget();
    return { instances, resources: hidden.resources, events };
  };
}

/** What goes as a whole, and the identifiers by which queries in the trail may name it. */
type Gone = { readonly rows: NonNullable<Erasure['rows']>; readonly claims: readonly string[]; readonly names: readonly string[] };

type Hidden = { readonly resources: number; readonly names: readonly string[] };

/** From here on no door shows the study, and no instance joins it. */
async function hide(deps: EraseStudyDeps, grant: SystemGrant, studyInstanceUID: string, now: number): Promise<Hidden> {
  const { records } = deps;
  const reports = await reportsOf(records, grant, studyInstanceUID);
  const isAlone = ({ resource }: Found<DiagnosticReport>): boolean => studiesOf(resource).every((uid) => uid === studyInstanceUID);
  const gone: Gone[] = [...(await imagingStudyOf(records, grant, studyInstanceUID)), ...(await manifestsOf(records, grant, studyInstanceUID)).map(goneDocument)];
  for (const report of reports.filter(isAlone)) gone.push(await goneReport(deps, grant, report));
  const kept: Kept[] = [];
  for (const report of reports.filter((one) => !isAlone(one))) kept.push(await keptReport(deps, grant, report, studyInstanceUID, now));
  const claims = [studyKey(studyInstanceUID), ...gone.flatMap((one) => one.claims)];
  const agenda = [refreshKey(studyInstanceUID), updateKey(studyInstanceUID), `close|${studyInstanceUID}`];
  await commit(
    deps,
    { erased: [{ rows: gone.flatMap(({ rows }) => rows), claims, agenda }] },
    { claims: [{ key: studyKey(studyInstanceUID), value: ERASING }], agenda: [{ key: eraseKey(studyInstanceUID), at: now + TAKE_OVER_MS }] },
    ...kept.flatMap(({ parts }) => parts),
  );
  // What they said before names the study, too.
  if (kept.length > 0) await commit(deps, { erased: kept.map(({ history }) => ({ history })) });
  return { resources: gone.reduce((sum, { rows }) => sum + rows.length, 0), names: gone.flatMap(({ names }) => names) };
}

/** Shorter identifiers are too common to tell one exam from another. */
const MIN_NAME_LENGTH = 5;

function namesOf(identifiers: readonly (Identifier | undefined)[]): string[] {
  const values = identifiers.map((identifier) => identifier?.value?.replace(/^urn:oid:/, '') ?? '');
  return values.filter((value) => value.length >= MIN_NAME_LENGTH);
}

async function imagingStudyOf(records: RecordStore, grant: SystemGrant, studyInstanceUID: string): Promise<Gone[]> {
  const claim = `imaging-study|${studyInstanceUID}`;
  const id = await records.claimed(grant, claim);
  const found = id === undefined ? undefined : await findById<ImagingStudy>(records, grant, 'ImagingStudy', id);
  return found === undefined ? [] : [{ rows: [{ type: 'ImagingStudy', id: found.row.id }], claims: [claim], names: namesOf(found.resource.identifier ?? []) }];
}

type Kept = { readonly parts: readonly PlanParts[]; readonly history: NonNullable<Erasure['history']> };

async function keptReport({ records, indexer }: EraseStudyDeps, grant: SystemGrant, { row, resource }: Found<DiagnosticReport>, studyInstanceUID: string, now: number): Promise<Kept> {
  const report = withoutStudy(resource, studyInstanceUID);
  const known = row.subject === undefined ? undefined : await knownPatient(records, grant, row.subject);
  if (known === undefined || row.person === undefined) throw new Error('A stored report has no patient');
  const facts = { person: row.person, released: row.released, ...(row.subject === undefined ? {} : { subject: row.subject }) };
  const hand: ReportAtHand = { resource: report, person: known.person, patient: known.resource };
  const documents = await reportDocumentParts({ records, indexer }, grant, [hand], new Map(), now);
  const documentIds = documents.flatMap(({ puts = [] }) => puts.map(({ type, id }) => ({ type, id })));
  const preconditions = [{ kind: 'version', type: 'DiagnosticReport', id: row.id, version: row.version }] as const;
  return { parts: [{ preconditions, puts: [putOf(indexer, report, now, facts)] }, ...documents], history: [{ type: 'DiagnosticReport', id: row.id }, ...documentIds] };
}

async function goneReport(deps: EraseStudyDeps, grant: SystemGrant, { row, resource }: Found<DiagnosticReport>): Promise<Gone> {
  const { records } = deps;
  const claim = `report-document|${row.id}`;
  const id = await records.claimed(grant, claim);
  const document = id === undefined ? undefined : await findById<DocumentReference>(records, grant, 'DocumentReference', id);
  const documents = document === undefined ? [] : [{ type: 'DocumentReference', id: document.row.id } as const];
  return {
    rows: [{ type: 'DiagnosticReport', id: row.id }, ...documents, ...binariesOf(resource.presentedForm ?? [])],
    claims: [claim, ...(await keysOfReport(deps, grant, resource))],
    names: namesOf([...(resource.identifier ?? []), document?.resource.masterIdentifier]),
  };
}

/** The claims that a report is the one of its identifiers: which establishment wrote it is told by them alone. */
async function keysOfReport({ records, region }: EraseStudyDeps, grant: SystemGrant, report: DiagnosticReport): Promise<string[]> {
  const keys = region.establishments.flatMap((establishment) => reportKeys(report, establishment));
  const held = await Promise.all(keys.map(async (key) => await records.claimed(grant, key)));
  return keys.filter((_, at) => held[at] === report.id);
}

function goneDocument({ row, resource }: Found<DocumentReference>): Gone {
  const names = namesOf([resource.masterIdentifier]);
  const rows = [{ type: 'DocumentReference', id: row.id } as const, ...binariesOf(resource.content.map(({ attachment }) => attachment))];
  return { rows, claims: names.map((uid) => `manifest|${uid}`), names };
}

function binariesOf(attachments: readonly { readonly url?: string }[]): { readonly type: 'Binary'; readonly id: string }[] {
  return attachments.flatMap(({ url = '' }) => (url.includes('/Binary/') ? [{ type: 'Binary', id: url.split('/Binary/').at(-1) ?? '' } as const] : []));
}

/** Manifests of a study, superseded ones included. */
async function manifestsOf(records: RecordStore, grant: SystemGrant, studyInstanceUID: string): Promise<Found<DocumentReference>[]> {
  return await findAll<DocumentReference>(records, grant, 'DocumentReference', [
    { kind: 'token', param: 'related:identifier', values: [{ code: `urn:oid:${studyInstanceUID}` }] },
    { kind: 'token', param: 'format', values: [{ system: CODE_SYSTEM.dicomUids, code: DICOM_UID.keyObjectSelection }] },
  ]);
}

/** Every UID by which something may name a part of the study. They are gone once its instances are, so this comes before. */
async function uidsOf(records: RecordStore, grant: SystemGrant, studyInstanceUID: string, aside: readonly QuarantinedInstance[]): Promise<ReadonlySet<string>> {
  const uids = new Set([studyInstanceUID, ...aside.map(({ sopInstanceUID }) => sopInstanceUID)]);
  for (let offset = 0; ; offset += BATCH) {
    const { instances } = await records.peek(grant, { kind: 'instances', studyInstanceUID, omitMetadata: true, offset, limit: BATCH });
    for (const { seriesInstanceUID, sopInstanceUID } of instances) uids.add(seriesInstanceUID).add(sopInstanceUID);
    if (instances.length < BATCH) return uids;
  }
}

async function removeInstances(deps: EraseStudyDeps, grant: SystemGrant, studyInstanceUID: string): Promise<number> {
  const question = { kind: 'instances', studyInstanceUID, omitMetadata: true, offset: 0, limit: BATCH } as const;
  for (let removed = 0; ; ) {
    const { instances } = await deps.records.peek(grant, question);
    if (instances.length === 0) return removed;
    await commit(deps, { erased: [{ instances: instances.map(({ sopInstanceUID }) => sopInstanceUID) }] });
    removed += instances.length;
  }
}

async function asideOf(records: RecordStore, grant: SystemGrant, studyInstanceUID: string): Promise<QuarantinedInstance[]> {
  const aside: QuarantinedInstance[] = [];
  for await (const one of records.quarantined(grant)) if (one.studyInstanceUID === studyInstanceUID) aside.push(one);
  return aside;
}

async function removeAside(deps: EraseStudyDeps, aside: readonly QuarantinedInstance[]): Promise<number> {
  for (let at = 0; at < aside.length; at += BATCH) {
    await commit(deps, { erased: [{ quarantined: aside.slice(at, at + BATCH) }] });
  }
  return aside.length;
}

/** Bytes go when nothing refers to them any more; what a crash leaves of them is swept. */
async function commit({ records, images }: EraseStudyDeps, ...parts: readonly PlanParts[]): Promise<void> {
  const { erasedBlobs } = await records.commit(joinParts(...parts));
  for (const name of erasedBlobs) await images.remove(name);
}

/** Says that a study was erased and how large it was, not which: that would be left of it. */
function eventOf(clock: Clock, instances: number) {
  const now = clock.now();
  return buildAuditEvent({
    id: newEventId(now),
    kind: 'erase-study',
    recorded: new Date(now).toISOString(),
    outcome: '0',
    requestId: newEventId(now),
    server: 'passerelle',
    client: { id: 'operator' },
    entities: [{ role: '3', detail: { instances: String(instances) } }],
  });
}
