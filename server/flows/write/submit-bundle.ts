/**
 * An establishment or a patient writes: FHIR create, conditional create and update, transaction. All entries are one
 * plan: everything stands after it, or nothing.
 */
import type { Patient } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { WriteHook } from '../../../profiles/types/fhir-type.ts';
import { subjectOf as subjectReference } from '../../../profiles/types/row-rules.ts';
import { fhirType, isStoredType } from '../../../profiles/types/visibility.ts';
import { systemGrant, type SystemGrant } from '../../access/grant.ts';
import { mayAttempt } from '../../access/may-attempt.ts';
import type { Requester } from '../../access/requester.ts';
import { principal } from '../../access/right.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { eventRecord, refusalsRecorded, type GuardDeps, type Visit } from '../guard.ts';
import { knownPatient, findIdentity, type KnownPatient } from '../identity/persons.ts';
import { commitFresh, joinParts } from './plan-parts.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import type { EntryParts, HookedResource, SubmittedEntry, SubmittedResource, SubmittedResult } from './submission.ts';
import { consentParts } from './submit-consent.ts';
import { patientParts } from './submit-patient.ts';
import { reportParts, storeReport, type StoredReport } from './submit-report.ts';

/** What the flow needs. */
export type SubmitBundleDeps = GuardDeps & {
  readonly images: ImageStore;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  readonly publicUrl: () => string;
};

/**
 * Writes entries. Results come in the order of the entries.
 * @throws {Fault} forbidden - the scopes or the kind of requester do not allow it
 * @throws {Fault} invalid, required, not-supported, conflict - an entry cannot be written; nothing is
 */
export function submitBundle(deps: SubmitBundleDeps) {
  return async (visit: Visit, entries: readonly SubmittedEntry[]): Promise<SubmittedResult[]> => {
    const kind = entries.length === 1 ? 'create' : 'transaction';
    return await refusalsRecorded(deps, visit, kind, async () => {
      for (const { method, resource } of entries) {
        const interaction = method === 'PUT' ? 'update' : 'create';
        mayAttempt(visit.requester, { interaction, type: resource.resourceType });
      }
      const reports = new Map<SubmittedEntry, StoredReport>();
      try {
        for (const entry of entries) {
          if (hasHook(entry.resource, 'documents')) reports.set(entry, await storeReport(deps, entry.resource));
        }
        return await commitEntries(deps, visit, kind, entries, reports);
      } catch (error) {
        if (isRefusal(error)) await discard(deps.images, reports);
        throw error;
      }
    });
  };
}

/** Whether it is certain that nothing was written. After any other error the plan may stand, and the sweep decides. */
function isRefusal(error: unknown): boolean {
  return error instanceof Fault && error.kind !== 'exception' && error.kind !== 'transient';
}

async function discard(images: ImageStore, reports: ReadonlyMap<SubmittedEntry, StoredReport>): Promise<void> {
  for (const { document } of reports.values()) await images.remove(document.blob.name);
}

async function commitEntries(
  deps: SubmitBundleDeps,
  visit: Visit,
  kind: 'create' | 'transaction',
  entries: readonly SubmittedEntry[],
  reports: ReadonlyMap<SubmittedEntry, StoredReport>,
): Promise<SubmittedResult[]> {
  const { receipt, result } = await commitFresh(deps.records, async () => {
    const now = deps.clock.now();
    const worked = await workEntries({ deps, visit, reports, now, grant: systemGrant('publish-report', now) }, entries);
    const audit = auditOf(deps, visit, kind, worked);
    return { plan: joinParts(...worked.map(({ parts }) => parts), { audit }), result: worked };
  });
  let at = 0;
  return result.map(({ type, id, status, standing, parts }) => {
    const own = parts.puts?.findIndex((put) => put.type === type && put.id === id) ?? -1;
    const version = own === -1 ? standing : receipt.versions[at + own];
    at += parts.puts?.length ?? 0;
    return { type, id, status, version: version ?? 1 };
  });
}

/** One event for each person that the entries are about. */
function auditOf(deps: SubmitBundleDeps, visit: Visit, kind: 'create' | 'transaction', worked: readonly EntryParts[]) {
  const byPerson = Map.groupBy(worked, ({ person }) => person);
  return [...byPerson].map(([person, mine]) =>
    eventRecord(deps.clock, visit, kind, {
      person,
      patient: mine[0]?.subject ?? '',
      entities: mine.map(({ type, id }) => ({ what: { reference: `${type}/${id}` } })),
    }),
  );
}

type Work = {
  readonly deps: SubmitBundleDeps;
  readonly visit: Visit;
  readonly reports: ReadonlyMap<SubmittedEntry, StoredReport>;
  readonly now: number;
  readonly grant: SystemGrant;
};

/** Patients first: the other entries refer to them. */
async function workEntries(work: Work, entries: readonly SubmittedEntry[]): Promise<EntryParts[]> {
  const done = new Map<SubmittedEntry, EntryParts>();
  const patients = new Map<string, KnownPatient>();
  for (const entry of entries) {
    if (!isPatientEntry(entry)) continue;
    const parts = await patientParts(work.deps, work.grant, organizationOf(work.visit.requester), entry, work.now);
    done.set(entry, parts);
    if (entry.fullUrl !== undefined) patients.set(entry.fullUrl, toKnown(parts, entry.resource));
  }
  for (const entry of entries) if (!done.has(entry)) done.set(entry, await workEntry(work, entry, patients));
  return entries.flatMap((entry) => done.get(entry) ?? []);
}

function isPatientEntry(entry: SubmittedEntry): entry is SubmittedEntry & { resource: Patient } {
  return hasHook(entry.resource, 'identity');
}

function toKnown({ subject, person, id, standing }: EntryParts, resource: Patient): KnownPatient {
  return { patient: subject, person, resource: { ...resource, id }, version: standing ?? 1 };
}

async function workEntry(
  work: Work,
  entry: SubmittedEntry,
  patients: ReadonlyMap<string, KnownPatient>,
): Promise<EntryParts> {
  if (entry.condition !== undefined || entry.method === 'PUT')
    throw new Fault('not-supported', `A ${entry.resource.resourceType} is created by POST without condition`);
  const { deps, grant, now, visit } = work;
  const { resource } = entry;
  const known = await subjectOf(work, subjectReference(resource.resourceType, resource), patients);
  const stored = work.reports.get(entry);
  if (stored !== undefined) {
    await refuseOpposed(work, known);
    return await reportParts(
      deps,
      grant,
      stored,
      { person: known.person, patient: known.resource, organization: organizationOf(visit.requester) },
      now,
    );
  }
  if (!hasHook(resource, 'rights'))
    throw new Fault('not-supported', `A ${resource.resourceType} cannot be written here`);
  const about = { person: known.person, subject: known.patient };
  return await consentParts(deps, grant, visit.requester, resource, about, now);
}

async function refuseOpposed({ deps, grant }: Work, { person }: KnownPatient): Promise<void> {
  const { opposed } = await deps.records.stateOf(grant, person);
  if (opposed) throw new Fault('forbidden', 'The patient is opposed to the sharing of exams');
}

/** The Patient that an entry is about: one of the bundle, one by condition, or one that the requester has. */
async function subjectOf(
  work: Work,
  reference: string | undefined,
  patients: ReadonlyMap<string, KnownPatient>,
): Promise<KnownPatient> {
  const known =
    reference === undefined ? undefined : (patients.get(reference) ?? (await standingSubject(work, reference)));
  if (known === undefined) throw new Fault('invalid', 'The patient that the resource refers to is not known');
  return known;
}

async function standingSubject({ deps, grant, visit }: Work, reference: string): Promise<KnownPatient | undefined> {
  const { records } = deps;
  const condition = /^Patient\?identifier=([^|&]+)\|([^|&]+)$/.exec(reference);
  const known =
    condition === null
      ? await knownPatient(records, grant, reference)
      : await findIdentity(
          records,
          grant,
          decodeURIComponent(condition[1] ?? ''),
          decodeURIComponent(condition[2] ?? ''),
        );
  if (known === undefined) return undefined;
  const { requester } = visit;
  if (requester.kind === 'patient') return requester.person === known.person ? known : undefined;
  const holder = principal.establishment(organizationOf(requester));
  const rights = await records.rightsOf(grant, known.person);
  const isAuthor = rights.some(
    ({ principal, scope }) => principal === holder && scope !== 'record' && scope.item === known.patient,
  );
  return isAuthor ? known : undefined;
}

function organizationOf(requester: Requester): string {
  if (requester.kind !== 'establishment') throw new Fault('forbidden', 'Only an establishment writes this');
  return requester.organization;
}

/** Whether the file of a resource's type names a hook for its writes. */
function hasHook<Hook extends WriteHook>(resource: SubmittedResource, hook: Hook): resource is HookedResource<Hook> {
  return fhirType(resource.resourceType).hooks?.write === hook;
}

/** Types that clients may send. */
export function isSubmittedType(type: string): type is SubmittedResource['resourceType'] {
  return isStoredType(type) && fhirType(type).hooks?.write !== undefined;
}
