/**
 * Erases a study as if it had never been: hidden in one commit, then removed in steps, each of which may be the last before a
 * crash; the agenda goes on with it. A report of this study alone goes with it; one of other studies, too, forgets this one.
 */
import type { DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
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
import { refreshKey } from './receive-instance.ts';
import { organizationReference, reportDocumentParts, type ReportAtHand } from './report-document-parts.ts';
import { ERASING, studyKey, studySourceKey } from './standing-instance.ts';
import { findAll, reportsOf, type Found } from './study-content.ts';
import { reportKeys } from './submit-report.ts';

/** What the flow needs. */
export type EraseStudyDeps = {
  readonly records: RecordStore;
  readonly trail: AuditTrail;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly indexer: Indexer;
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
    const resources = await hide(deps, grant, studyInstanceUID, now);
    const uids = await uidsOf(deps.records, grant, studyInstanceUID, aside);
    const before = await deps.trail.eraseEntities(uids);
    const instances = (await removeInstances(deps, grant, studyInstanceUID)) + (await removeAside(deps, aside));
    // An association that was sending meanwhile has recorded what it sent.
    const events = before + (await deps.trail.eraseEntities(uids));
    await deps.records.forget();
    const claims = [studyKey(studyInstanceUID), studySourceKey(studyInstanceUID)];
    await commit(deps, { erased: [{ claims, agenda: [eraseKey(studyInstanceUID)] }], audit: [{ event: eventOf(deps.clock, instances), persons: [] }] });
    await deps.records.forget();
    return { instances, resources, events };
  };
}

/** From here on no door shows the study, and no instance joins it. */
async function hide(deps: EraseStudyDeps, grant: SystemGrant, studyInstanceUID: string, now: number): Promise<number> {
  const { records } = deps;
  const imagingStudy = await records.claimed(grant, `imaging-study|${studyInstanceUID}`);
  const manifests = await manifestsOf(records, grant, studyInstanceUID);
  const reports = await reportsOf(records, grant, studyInstanceUID);
  const gone: Erasure[] = manifests.map(documentErasure);
  if (imagingStudy !== undefined) gone.push({ rows: [{ type: 'ImagingStudy', id: imagingStudy }] });
  const kept: Kept[] = [];
  for (const report of reports) {
    if (studiesOf(report.resource).some((uid) => uid !== studyInstanceUID)) kept.push(await keptReport(deps, grant, report, studyInstanceUID, now));
    else gone.push(await reportErasure(records, grant, report));
  }
  const claims = [studyKey(studyInstanceUID), `imaging-study|${studyInstanceUID}`, ...gone.flatMap((one) => one.claims ?? [])];
  const agenda = [refreshKey(studyInstanceUID), `close|${studyInstanceUID}`];
  await commit(
    deps,
    { erased: [...gone.map(({ rows = [] }) => ({ rows })), { claims, agenda }] },
    { claims: [{ key: studyKey(studyInstanceUID), value: ERASING }], agenda: [{ key: eraseKey(studyInstanceUID), at: now + TAKE_OVER_MS }] },
    ...kept.flatMap(({ parts }) => parts),
  );
  // What they said before names the study, too.
  if (kept.length > 0) await commit(deps, { erased: kept.map(({ history }) => ({ history })) });
  return gone.reduce((sum, { rows = [] }) => sum + rows.length, 0);
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

async function reportErasure(records: RecordStore, grant: SystemGrant, { row, resource }: Found<DiagnosticReport>): Promise<Erasure> {
  const claim = `report-document|${row.id}`;
  const document = await records.claimed(grant, claim);
  const documents = document === undefined ? [] : [{ type: 'DocumentReference', id: document } as const];
  return { rows: [{ type: 'DiagnosticReport', id: row.id }, ...documents, ...binariesOf(resource.presentedForm ?? [])], claims: [claim, ...reportKeys(resource, organizationReference(resource))] };
}

function documentErasure({ row, resource }: Found<DocumentReference>): Erasure {
  const uid = resource.masterIdentifier?.value?.replace(/^urn:oid:/, '') ?? '';
  return { rows: [{ type: 'DocumentReference', id: row.id }, ...binariesOf(resource.content.map(({ attachment }) => attachment))], claims: [`manifest|${uid}`] };
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
