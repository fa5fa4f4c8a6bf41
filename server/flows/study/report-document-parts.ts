/**
 * The documents of reports: what MHD and XDS readers find, one for each form that was published, related to the
 * manifests of its exams. What stands is compared with what should, so it may be worked out at any time.
 *
 * status                                  | documents
 * registered, partial, preliminary, unknown | none
 * final                                   | one, current
 * amended, corrected, another form        | a further one replaces the former, which is superseded
 * appended, a further form                | a further one appends to the former; both are current
 * cancelled                               | superseded
 * entered-in-error                        | gone
 */
import type { Attachment, DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
import { labelOf } from '../../../profiles/confidentiality.ts';
import { withSourceNumbers } from '../../../profiles/documents/document-reference.ts';
import { supersededDocument } from '../../../profiles/documents/former-document.ts';
import { buildReportDocument } from '../../../profiles/documents/report-document.ts';
import { isEnded, isPreliminary } from '../../../profiles/documents/report-status.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { derivedUid } from '../../../ihe/kos/uid.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { Origin } from '../../access/rights-of.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { KnownPatient } from '../identity/persons.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { changed } from '../write/changed-put.ts';
import { joinParts, type PlanParts, type PutFacts } from '../write/plan-parts.ts';
import { findAll, type Found } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import type { LinkedStudy } from './linked-studies.ts';
import { institutionsOf } from './report-people.ts';
import { manifestsOf, organizationOf } from './study-content.ts';

/** A report as it will stand, whose it is, and what it is linked to. */
export type ReportAtHand = {
  readonly resource: DiagnosticReport;
  readonly person: PersonKey;
  /** `Patient/id` that it is filed under. */
  readonly subject: string;
  readonly patient: Pick<KnownPatient, 'own' | 'resource'>;
  /** `Organization/id` of the establishment that sent it. */
  readonly organization: string;
  readonly released: boolean;
  readonly studies: readonly LinkedStudy[];
  /** Of its documents; without it none is made. */
  readonly origin?: Origin;
  /** Others signed it than before: its documents are theirs now. */
  readonly isMoved?: boolean;
  /** Nothing of it stands. */
  readonly isNew?: boolean;
};

/** Current manifests (`DocumentReference/id`) that the same plan makes or keeps, by id of their ImagingStudy. */
export type KnownManifests = ReadonlyMap<string, readonly string[]>;

type Deps = {
  readonly records: RecordStore;
  readonly indexer: Indexer;
  readonly region: Pick<RegionIndex, 'readersFor' | 'servicesOf'>;
};

/** Works out what is to be written of the documents of a report. */
export async function reportDocumentParts(
  deps: Deps,
  reading: NarrowReading,
  report: ReportAtHand,
  manifests: KnownManifests,
  now: number,
): Promise<PlanParts> {
  const { resource, person } = report;
  const standing = report.isNew === true ? [] : await documentsOf(deps.records, reading, person, resource.id ?? '');
  if (isPreliminary(resource) || resource.status === 'entered-in-error') return goneParts(resource, standing);
  const superseded = (found: Found<DocumentReference>): PlanParts => {
    const former = supersededDocument(found.resource, labelOf(resource.meta));
    const document = withSourceNumbers(former, report.patient.own, report.patient.resource);
    return changed(deps.indexer, found.row, document, now, factsOf(report), report.isMoved);
  };
  if (isEnded(resource)) return joinParts(...standing.map(superseded));
  const urls = (resource.presentedForm ?? []).map(({ url }) => url);
  const kept = standing.filter((found) => isCurrent(found) && urls.includes(formOf(found)));
  const published = await publishedParts(deps, reading, { report, standing, kept, manifests, now });
  return joinParts(...published, ...standing.filter((found) => !kept.includes(found)).map(superseded));
}

/** The documents of a report, whatever their status. */
export async function documentsOf(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  reportId: string,
): Promise<Found<DocumentReference>[]> {
  const ofReport: Criterion = { kind: 'reference', param: 'related', values: [`DiagnosticReport/${reportId}`] };
  return await findAll<DocumentReference>(records, reading({ person }), 'DocumentReference', [ofReport]);
}

/** Documents of what nobody may know go as if they had never been. */
function goneParts({ id = '' }: DiagnosticReport, standing: readonly Found<DocumentReference>[]): PlanParts {
  if (standing.length === 0) return {};
  const rows = standing.map(({ row }) => ({ type: 'DocumentReference', id: row.id }) as const);
  const preconditions = standing.map(
    ({ row }) => ({ kind: 'version', type: 'DocumentReference', id: row.id, version: row.version }) as const,
  );
  return { preconditions, erased: [{ rows, claims: [claimKey.reportDocument(id)] }] };
}

type Publishing = {
  readonly report: ReportAtHand;
  readonly standing: readonly Found<DocumentReference>[];
  /** Those that stay current. */
  readonly kept: readonly Found<DocumentReference>[];
  readonly manifests: KnownManifests;
  readonly now: number;
};

/** The documents that are current: those that stand, brought up to date, and one for each form that has none. */
async function publishedParts(deps: Deps, reading: NarrowReading, publishing: Publishing): Promise<PlanParts[]> {
  const { report, standing, kept, now } = publishing;
  const build = await builderOf(deps, reading, publishing);
  const parts = kept.map((found) => {
    const form = (report.resource.presentedForm ?? []).find(({ url }) => url === formOf(found)) ?? {};
    const { masterIdentifier, relatesTo } = found.resource;
    const built = build(found.row.id, masterIdentifier?.value?.replace(/^urn:oid:/, '') ?? '', form);
    const document = relatesTo === undefined ? built : { ...built, relatesTo };
    return changed(deps.indexer, found.row, document, now, factsOf(report), report.isMoved);
  });
  if (report.origin === undefined) return parts;
  const without = (report.resource.presentedForm ?? []).filter((form) => !kept.some((one) => formOf(one) === form.url));
  const made = without.map((form, at): PlanParts => {
    const id = newId();
    const isFirst = standing.length === 0 && at === 0;
    const document = { ...build(id, uidOf(report.resource, form, isFirst), form), ...relationsOf(publishing) };
    const claims = isFirst ? [{ key: claimKey.reportDocument(report.resource.id ?? ''), value: id }] : [];
    return { claims, ...changed(deps.indexer, undefined, document, now, factsOf(report)) };
  });
  return [...parts, ...made];
}

/** A further document appends to what stays current, or takes the place of what does not. */
function relationsOf({ standing, kept }: Publishing): Pick<DocumentReference, 'relatesTo'> {
  const [root] = kept.toSorted((one, other) => (one.row.id < other.row.id ? -1 : 1));
  const replaced = standing.filter((found) => isCurrent(found) && !kept.includes(found));
  const relatesTo = [
    ...(root === undefined ? [] : [relation('appends', root)]),
    ...replaced.map((found) => relation('replaces', found)),
  ];
  return relatesTo.length === 0 ? {} : { relatesTo };
}

function relation(code: 'appends' | 'replaces', { row }: Found<DocumentReference>) {
  return { code, target: { reference: `DocumentReference/${row.id}` } };
}

async function builderOf(deps: Deps, reading: NarrowReading, { report, manifests }: Publishing) {
  const { resource, patient, organization } = report;
  const studies = report.studies.filter(({ isShown }) => isShown);
  const listed: string[] = [];
  for (const { id } of studies) listed.push(...(manifests.get(id) ?? (await manifestsAt(deps, reading, report, id))));
  const custodian = await organizationOf(deps.records, reading, organization);
  const institutions = await institutionsOf(deps, reading, resource, organization);
  return (id: string, uniqueId: string, form: Attachment): DocumentReference & { readonly id: string } =>
    buildReportDocument({
      id,
      patient: patient.resource,
      report: resource,
      attachment: storedForm(form),
      organization: custodian,
      institutions,
      studies: studies.map(({ imagingStudy }) => imagingStudy),
      manifests: listed,
      uniqueId,
    });
}

async function manifestsAt({ records }: Deps, reading: NarrowReading, { person }: ReportAtHand, studyId: string) {
  const found = await manifestsOf(records, reading({ person }), studyId, 'current');
  return found.map(({ row }) => `DocumentReference/${row.id}`);
}

function uidOf({ id = '' }: DiagnosticReport, { url = '' }: Attachment, isFirst: boolean): string {
  return derivedUid(isFirst ? `report|${id}` : `report|${id}|${url.split('/Binary/').at(-1)}`);
}

function isCurrent({ resource }: Found<DocumentReference>): boolean {
  return resource.status === 'current';
}

function formOf({ resource }: Found<DocumentReference>): string | undefined {
  return resource.content[0]?.attachment.url;
}

function factsOf({ person, subject, released, origin }: ReportAtHand): PutFacts {
  return { person, subject, released, ...(origin === undefined ? {} : { origin }) };
}

/** A stored form has url, size and hash. */
function storedForm({ url = '', contentType = '', size = 0, hash = '', title, language, creation }: Attachment) {
  return {
    binary: `Binary/${url.split('/Binary/').at(-1) ?? ''}`,
    url,
    contentType,
    size,
    sha1Base64: hash,
    ...(title === undefined ? {} : { title }),
    ...(language === undefined ? {} : { language }),
    ...(creation === undefined ? {} : { creation }),
  };
}
