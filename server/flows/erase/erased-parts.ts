/**
 * What of a study is erased with it: its ImagingStudy, its manifests, the reports that are of it alone. A report of
 * other studies, too, stays and forgets this one.
 */
import type { DiagnosticReport, DocumentReference, Identifier, ImagingStudy, Task } from '@medplum/fhirtypes';
import { oidOf } from '../../../profiles/codes.ts';
import { studiesOf } from '../../../profiles/documents/diagnostic-report.ts';
import { documentWithoutStudy } from '../../../profiles/documents/former-document.ts';
import { accessionsOf, namesStudy, studyNamesOf, withoutStudy } from '../../../profiles/documents/report-links.ts';
import { studyIdentifier } from '../../../profiles/imaging/identifiers.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { StudyErasure } from '../../../profiles/types/fhir-type.ts';
import { fhirType, STORED_TYPES } from '../../../profiles/types/visibility.ts';
import type { Reading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey, type ClaimKey } from '../../ports/claim-key.ts';
import type { Erasure } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { knownPatient } from '../identity/persons.ts';
import { changed } from '../write/changed-put.ts';
import { joinParts, putOf, type PlanParts, type PutFacts } from '../write/plan-parts.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { establishmentsOf, linkedStudies, mayReport } from '../study/linked-studies.ts';
import { documentsOf, reportDocumentParts, type ReportAtHand } from '../study/report-document-parts.ts';
import { claimOf, findAll, findById, type Found } from '../internal-reads.ts';
import { manifestsOf, reportsOf, type NameableStudy } from '../study/study-content.ts';
import { formsOfVersions } from '../write/report-forms.ts';
import { reportKeys } from '../write/report-parts.ts';
import type { Taking } from './taken.ts';

type Deps = { readonly records: RecordStore; readonly indexer: Indexer; readonly region: RegionIndex };

/** What goes as a whole, and the identifiers by which the trail may name it, in words or queries. */
export type Gone = {
  readonly rows: NonNullable<Erasure['rows']>;
  readonly claims: readonly ClaimKey[];
  readonly names: readonly string[];
};

/** What is to be written of a study that goes: `forgetting` are the parts of what stays without it. */
export type ErasedParts = { readonly gone: readonly Gone[]; readonly forgetting: readonly PlanParts[] };

/**
 * Whose record a study goes with, and for which Task. What began on an earlier server does not say which of her
 * identities go: all of them do.
 */
export type ErasedRecord = Pick<Taking, 'person'> & Partial<Pick<Taking, 'task' | 'identities'>>;

/** A study that goes. With a record (`of`): what others filed, or is filed under another identity, stays then. */
export type ErasedOf = { readonly studyInstanceUID: string; readonly of: ErasedRecord | undefined };

/** Whether something goes that is filed so: without a record whatever is of the study does. */
export function goesWith(
  of: ErasedRecord | undefined,
  { person, subject = '' }: { readonly person?: PersonKey | undefined; readonly subject?: string | undefined },
): boolean {
  if (of === undefined) return true;
  return person === of.person && of.identities?.has(subject) !== false;
}

type Work = (deps: Deps, reading: Reading, study: ErasedOf, now: number) => Promise<ErasedParts>;

/** What the files of the types name. */
const WORK: Readonly<Record<StudyErasure, Work>> = {
  'imaging-study': async ({ records }, reading, { studyInstanceUID: uid }) =>
    goneOnly(await imagingStudyOf(records, reading, uid)),
  manifests: async ({ records }, reading, { studyInstanceUID: uid }) =>
    goneOnly(await allManifestsOf(records, reading, uid)),
  reports: erasedReports,
  tasks: async ({ records }, reading, study) => goneOnly(await tasksOf(records, reading, study)),
};

/** Works out what goes with a study, and what forgets it, as it stands. */
export async function erasedParts(deps: Deps, reading: Reading, study: ErasedOf, now: number): Promise<ErasedParts> {
  const named = new Set(STORED_TYPES.map((type) => fhirType(type).erasedWithStudy));
  const all: ErasedParts[] = [];
  for (const name of named) {
    if (name !== 'kept' && name !== 'with-its-item') all.push(await WORK[name](deps, reading, study, now));
  }
  return { gone: all.flatMap(({ gone }) => gone), forgetting: all.flatMap(({ forgetting }) => forgetting) };
}

function goneOnly(gone: readonly Gone[]): ErasedParts {
  return { gone, forgetting: [] };
}

async function erasedReports(
  deps: Deps,
  reading: Reading,
  { studyInstanceUID, of }: ErasedOf,
  now: number,
): Promise<ErasedParts> {
  const study = await erasedStudy(deps.records, reading, studyInstanceUID);
  const gone: Gone[] = [];
  const forgetting: PlanParts[] = [];
  for (const report of await reportsNaming(deps.records, reading, study)) {
    const isOfStudy = goesWith(of, report.row) && (await countsFor(deps, reading, report, study));
    if (isOfStudy && isAlone(report.resource, study)) gone.push(await goneReport(deps, reading, report));
    else forgetting.push(await forgettingReport(deps, reading, report, study, now));
  }
  return { gone, forgetting };
}

/** The study that goes, as far as it stands, and whose it is. */
type ErasedStudy = NameableStudy & {
  readonly person: PersonKey | undefined;
  readonly sources: readonly string[];
  readonly imagingStudy: ImagingStudy;
  readonly manifests: readonly string[];
};

async function erasedStudy(records: RecordStore, reading: Reading, studyInstanceUID: string): Promise<ErasedStudy> {
  const id = (await claimOf(records, reading, claimKey.imagingStudy(studyInstanceUID))) ?? '';
  const found = id === '' ? undefined : await findById<ImagingStudy>(records, reading, 'ImagingStudy', id);
  const identifier = [studyIdentifier(studyInstanceUID)];
  const imagingStudy: ImagingStudy = found?.resource ?? {
    resourceType: 'ImagingStudy',
    id,
    identifier,
    status: 'unknown',
    subject: {},
  };
  const person = found?.row.person;
  const sources = person === undefined ? [] : await establishmentsOf(records, reading, person, `ImagingStudy/${id}`);
  const manifests = id === '' ? [] : await manifestsOf(records, reading('whole'), id, 'all');
  return {
    id,
    studyInstanceUID,
    accessions: accessionsOf(imagingStudy),
    person,
    sources,
    imagingStudy,
    manifests: manifests.map(({ row }) => `DocumentReference/${row.id}`),
  };
}

/** Whoever names it by its UID, and of its person whoever names it otherwise: a number may be that of others, too. */
async function reportsNaming(
  records: RecordStore,
  reading: Reading,
  study: ErasedStudy,
): Promise<readonly Found<DiagnosticReport>[]> {
  const byUid = await reportsOf(records, reading('whole'), { ...study, accessions: [] });
  if (study.person === undefined) return byUid;
  const grant = reading({ person: study.person });
  const errors = await findAll<DiagnosticReport>(records, grant, 'DiagnosticReport', [
    { kind: 'token', param: 'status', values: [{ code: 'entered-in-error' }] },
  ]);
  const named = errors.filter(({ resource }) => namesStudy(studyNamesOf(resource), study, study.accessions));
  const all = [...byUid, ...(await reportsOf(records, grant, study)), ...named];
  return [...new Map(all.map((one) => [one.row.id, one])).values()];
}

/** A report of another patient, or of an establishment that does not read the study, is another's. */
async function countsFor(
  { records, region }: Deps,
  reading: Reading,
  { row }: Found<DiagnosticReport>,
  { person, sources }: ErasedStudy,
): Promise<boolean> {
  if (person === undefined || row.person !== person) return false;
  const [organization = ''] = await establishmentsOf(records, reading, person, `DiagnosticReport/${row.id}`);
  return mayReport(region, organization, sources);
}

function isAlone(report: DiagnosticReport, study: ErasedStudy): boolean {
  const { uids, ids, accessions } = studyNamesOf(report);
  const isNumber = (one: { readonly system: string; readonly value: string }): boolean =>
    study.accessions.some(({ system, value }) => system === one.system && value === one.value);
  return (
    [...uids, ...studiesOf(report)].every((uid) => uid === study.studyInstanceUID) &&
    ids.every((id) => id === study.id) &&
    accessions.every(isNumber)
  );
}

/** Shorter identifiers are too common to tell one exam from another. */
export const MIN_NAME_LENGTH = 5;

function namesOf(identifiers: readonly (Identifier | undefined)[]): string[] {
  const values = identifiers.map((identifier) => oidOf(identifier?.value) ?? identifier?.value ?? '');
  return values.filter((value) => value.length >= MIN_NAME_LENGTH);
}

/** `Type/id` of a row. */
export function itemOf({ type, id }: Gone['rows'][number]): string {
  return `${type}/${id}`;
}

async function imagingStudyOf(records: RecordStore, reading: Reading, studyInstanceUID: string): Promise<Gone[]> {
  const claim = claimKey.imagingStudy(studyInstanceUID);
  const id = await claimOf(records, reading, claim);
  const found = id === undefined ? undefined : await findById<ImagingStudy>(records, reading, 'ImagingStudy', id);
  if (found === undefined) return [];
  const rows = [{ type: 'ImagingStudy', id: found.row.id }] as const;
  return [{ rows, claims: [claim], names: [...rows.map(itemOf), ...namesOf(found.resource.identifier ?? [])] }];
}

/** Tasks about instances of the study that are kept aside, which go after them. */
async function tasksOf(records: RecordStore, reading: Reading, { studyInstanceUID, of }: ErasedOf): Promise<Gone[]> {
  const { system = '', value = '' } = studyIdentifier(studyInstanceUID);
  const about: Criterion = { kind: 'token', param: 'focus:identifier', values: [{ system, code: value }] };
  const all = await findAll<Task>(records, reading('whole'), 'Task', [about]);
  const found = all.filter(({ row }) => goesWith(of, row));
  return found.map(({ row, resource: { requester, reasonCode } }) => {
    const [source, reason] = [requester?.reference ?? '', reasonCode?.coding?.[0]?.code ?? ''];
    const claims = [claimKey.keptAside(studyInstanceUID, source, reason, row.subject)];
    return { rows: [{ type: 'Task', id: row.id }], claims, names: [] };
  });
}

/** What a report and its documents said before names the study, so their former versions go. */
async function forgettingReport(
  { records, indexer, region }: Deps,
  reading: Reading,
  { row, resource }: Found<DiagnosticReport>,
  study: ErasedStudy,
  now: number,
): Promise<PlanParts> {
  const report = withoutStudy(resource, study.studyInstanceUID, study.accessions);
  const { person, subject, released } = row;
  const known = subject === undefined ? undefined : await knownPatient(records, reading, subject);
  if (known === undefined || person === undefined || subject === undefined)
    throw new Error('A stored report has no patient');
  const facts = { person, released, subject };
  const [organization = ''] = await establishmentsOf(records, reading, person, `DiagnosticReport/${row.id}`);
  const found = await linkedStudies({ records, region }, reading, { resource: report, person, organization });
  const studies = found.filter(({ studyInstanceUID }) => studyInstanceUID !== study.studyInstanceUID);
  const hand: ReportAtHand = { resource: report, ...facts, patient: known, organization, studies };
  const documents = await reportDocumentParts({ records, indexer, region }, reading, hand, new Map(), now);
  const former = await formerDocuments({ records, indexer }, reading, { person, id: row.id }, study, { now, facts });
  const preconditions = [{ kind: 'version', type: 'DiagnosticReport', id: row.id, version: row.version }] as const;
  const parts = joinParts({ preconditions, puts: [putOf(indexer, report, now, facts)] }, documents, former);
  return { ...parts, erased: [{ history: (parts.puts ?? []).map(({ type, id }) => ({ type, id })) }] };
}

/** Documents that are current no more are not made anew: what they say of the study is taken out. */
async function formerDocuments(
  { records, indexer }: Pick<Deps, 'records' | 'indexer'>,
  reading: Reading,
  report: { readonly person: PersonKey; readonly id: string },
  study: ErasedStudy,
  { now, facts }: { readonly now: number; readonly facts: PutFacts },
): Promise<PlanParts> {
  const documents = await documentsOf(records, reading, report.person, report.id);
  const superseded = documents.filter(({ resource }) => resource.status === 'superseded');
  return joinParts(
    ...superseded.map(({ row, resource }) =>
      changed(indexer, row, documentWithoutStudy(resource, study.imagingStudy, study.manifests), now, facts),
    ),
  );
}

/** What goes with a report: its documents, their bytes, those of its former versions, and its claims. */
export async function goneReport(
  deps: Deps,
  reading: Reading,
  { row, resource }: Found<DiagnosticReport>,
): Promise<Gone> {
  const { records } = deps;
  const documents = row.person === undefined ? [] : await documentsOf(records, reading, row.person, row.id);
  const forms = documents.flatMap(({ resource: document }) => document.content.map(({ attachment }) => attachment));
  const versions = await formsOfVersions(records, reading, row);
  const binaries = binariesOf([...(resource.presentedForm ?? []), ...forms, ...versions]);
  const rows = [
    { type: 'DiagnosticReport', id: row.id } as const,
    ...documents.map((document) => ({ type: 'DocumentReference', id: document.row.id }) as const),
    ...new Map(binaries.map((binary) => [binary.id, binary])).values(),
  ];
  return {
    rows,
    claims: [claimKey.reportDocument(row.id), ...(await keysOfReport(deps, reading, resource))],
    names: [
      ...rows.map(itemOf),
      ...namesOf([
        ...(resource.identifier ?? []),
        ...documents.map(({ resource: document }) => document.masterIdentifier),
      ]),
    ],
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
  return { rows, claims: names.map(claimKey.manifest), names: [...rows.map(itemOf), ...names] };
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
