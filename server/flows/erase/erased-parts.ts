/**
 * What of a study is erased with it: its ImagingStudy, its manifests, the reports that are of it alone. A report of
 * other studies, too, stays and forgets this one.
 */
import type { DiagnosticReport, DocumentReference, Identifier, ImagingStudy, Task } from '@medplum/fhirtypes';
import { studiesOf, withoutStudy } from '../../../profiles/documents/diagnostic-report.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { StudyErasure } from '../../../profiles/types/fhir-type.ts';
import { fhirType, STORED_TYPES } from '../../../profiles/types/visibility.ts';
import type { Reading } from '../../access/grant.ts';
import { claimKey, type ClaimKey } from '../../ports/claim-key.ts';
import type { Erasure } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { knownPatient } from '../identity/persons.ts';
import { joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { reportDocumentParts, type ReportAtHand } from '../study/report-document-parts.ts';
import { claimOf, findAll, findById, type Found } from '../internal-reads.ts';
import { manifestsOf, reportsOf, studyIdentifier } from '../study/study-content.ts';
import { reportKeys } from '../write/report-parts.ts';

type Deps = { readonly records: RecordStore; readonly indexer: Indexer; readonly region: RegionIndex };

/** What goes as a whole, and the identifiers by which queries in the trail may name it. */
export type Gone = {
  readonly rows: NonNullable<Erasure['rows']>;
  readonly claims: readonly ClaimKey[];
  readonly names: readonly string[];
};

/** What is to be written of a study that goes: `forgetting` are the parts of what stays without it. */
export type ErasedParts = { readonly gone: readonly Gone[]; readonly forgetting: readonly PlanParts[] };

type Work = (deps: Deps, reading: Reading, studyInstanceUID: string, now: number) => Promise<ErasedParts>;

/** What the files of the types name. */
const WORK: Readonly<Record<StudyErasure, Work>> = {
  'imaging-study': async ({ records }, reading, uid) => goneOnly(await imagingStudyOf(records, reading, uid)),
  manifests: async ({ records }, reading, uid) => goneOnly(await allManifestsOf(records, reading, uid)),
  reports: erasedReports,
  tasks: async ({ records }, reading, uid) => goneOnly(await tasksOf(records, reading, uid)),
};

/** Works out what goes with a study, and what forgets it, as it stands. */
export async function erasedParts(
  deps: Deps,
  reading: Reading,
  studyInstanceUID: string,
  now: number,
): Promise<ErasedParts> {
  const named = new Set(STORED_TYPES.map((type) => fhirType(type).erasedWithStudy));
  const all: ErasedParts[] = [];
  for (const name of named) {
    if (name !== 'kept' && name !== 'with-its-item') all.push(await WORK[name](deps, reading, studyInstanceUID, now));
  }
  return { gone: all.flatMap(({ gone }) => gone), forgetting: all.flatMap(({ forgetting }) => forgetting) };
}

function goneOnly(gone: readonly Gone[]): ErasedParts {
  return { gone, forgetting: [] };
}

async function erasedReports(
  deps: Deps,
  reading: Reading,
  studyInstanceUID: string,
  now: number,
): Promise<ErasedParts> {
  const gone: Gone[] = [];
  const forgetting: PlanParts[] = [];
  for (const report of await reportsOf(deps.records, reading('whole'), studyInstanceUID)) {
    const isAlone = studiesOf(report.resource).every((uid) => uid === studyInstanceUID);
    if (isAlone) gone.push(await goneReport(deps, reading, report));
    else forgetting.push(await forgettingReport(deps, reading, report, studyInstanceUID, now));
  }
  return { gone, forgetting };
}

/** Shorter identifiers are too common to tell one exam from another. */
const MIN_NAME_LENGTH = 5;

function namesOf(identifiers: readonly (Identifier | undefined)[]): string[] {
  const values = identifiers.map((identifier) => identifier?.value?.replace(/^urn:oid:/, '') ?? '');
  return values.filter((value) => value.length >= MIN_NAME_LENGTH);
}

async function imagingStudyOf(records: RecordStore, reading: Reading, studyInstanceUID: string): Promise<Gone[]> {
  const claim = claimKey.imagingStudy(studyInstanceUID);
  const id = await claimOf(records, reading, claim);
  const found = id === undefined ? undefined : await findById<ImagingStudy>(records, reading, 'ImagingStudy', id);
  if (found === undefined) return [];
  const rows = [{ type: 'ImagingStudy', id: found.row.id }] as const;
  return [{ rows, claims: [claim], names: namesOf(found.resource.identifier ?? []) }];
}

/** Tasks about instances of the study that are kept aside, which go after them. */
async function tasksOf(records: RecordStore, reading: Reading, studyInstanceUID: string): Promise<Gone[]> {
  const { system, value } = studyIdentifier(studyInstanceUID);
  const about: Criterion = { kind: 'token', param: 'focus:identifier', values: [{ system, code: value }] };
  const found = await findAll<Task>(records, reading('whole'), 'Task', [about]);
  return found.map(({ row, resource: { requester, reasonCode } }) => {
    const [source, reason] = [requester?.reference ?? '', reasonCode?.coding?.[0]?.code ?? ''];
    const claims = [claimKey.keptAside(studyInstanceUID, source, reason, row.subject)];
    return { rows: [{ type: 'Task', id: row.id }], claims, names: [] };
  });
}

/** What a report and its document said before names the study, so their former versions go. */
async function forgettingReport(
  { records, indexer }: Deps,
  reading: Reading,
  { row, resource }: Found<DiagnosticReport>,
  studyInstanceUID: string,
  now: number,
): Promise<PlanParts> {
  const report = withoutStudy(resource, studyInstanceUID);
  const known = row.subject === undefined ? undefined : await knownPatient(records, reading, row.subject);
  if (known === undefined || row.person === undefined) throw new Error('A stored report has no patient');
  const facts = {
    person: row.person,
    released: row.released,
    ...(row.subject === undefined ? {} : { subject: row.subject }),
  };
  const hand: ReportAtHand = { resource: report, person: known.person, patient: known.resource };
  const documents = await reportDocumentParts({ records, indexer }, reading, [hand], new Map(), now);
  const preconditions = [{ kind: 'version', type: 'DiagnosticReport', id: row.id, version: row.version }] as const;
  const parts = joinParts({ preconditions, puts: [putOf(indexer, report, now, facts)] }, ...documents);
  return { ...parts, erased: [{ history: (parts.puts ?? []).map(({ type, id }) => ({ type, id })) }] };
}

async function goneReport(deps: Deps, reading: Reading, { row, resource }: Found<DiagnosticReport>): Promise<Gone> {
  const { records } = deps;
  const claim = claimKey.reportDocument(row.id);
  const id = await claimOf(records, reading, claim);
  const document =
    id === undefined ? undefined : await findById<DocumentReference>(records, reading, 'DocumentReference', id);
  const documents = document === undefined ? [] : [{ type: 'DocumentReference', id: document.row.id } as const];
  return {
    rows: [{ type: 'DiagnosticReport', id: row.id }, ...documents, ...binariesOf(resource.presentedForm ?? [])],
    claims: [claim, ...(await keysOfReport(deps, reading, resource))],
    names: namesOf([...(resource.identifier ?? []), document?.resource.masterIdentifier]),
  };
}

/** The claims that a report is the one of its identifiers: which establishment wrote it is told by them alone. */
async function keysOfReport(
  { records, region }: Deps,
  reading: Reading,
  report: DiagnosticReport,
): Promise<ClaimKey[]> {
  const keys = region.establishments.flatMap((establishment) => reportKeys(report, establishment));
  const held = await Promise.all(keys.map(async (key) => await claimOf(records, reading, key)));
  return keys.filter((_, at) => held[at] === report.id);
}

function goneDocument({ row, resource }: Found<DocumentReference>): Gone {
  const names = namesOf([resource.masterIdentifier]);
  const rows = [
    { type: 'DocumentReference', id: row.id } as const,
    ...binariesOf(resource.content.map(({ attachment }) => attachment)),
  ];
  return { rows, claims: names.map(claimKey.manifest), names };
}

function binariesOf(
  attachments: readonly { readonly url?: string }[],
): { readonly type: 'Binary'; readonly id: string }[] {
  return attachments.flatMap(({ url = '' }) =>
    url.includes('/Binary/') ? [{ type: 'Binary', id: url.split('/Binary/').at(-1) ?? '' } as const] : [],
  );
}

/** Every manifest of a study, found by its row, which goes after them. */
async function allManifestsOf(records: RecordStore, reading: Reading, studyInstanceUID: string): Promise<Gone[]> {
  const id = await claimOf(records, reading, claimKey.imagingStudy(studyInstanceUID));
  return id === undefined ? [] : (await manifestsOf(records, reading('whole'), id, 'all')).map(goneDocument);
}
