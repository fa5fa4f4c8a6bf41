/** The DocumentReference of each report: what MHD and XDS readers find, related to the manifests of its studies. */
import type { Attachment, DiagnosticReport, DocumentReference, ImagingStudy, Patient } from '@medplum/fhirtypes';
import { isValidated, studiesOf } from '../../../profiles/documents/diagnostic-report.ts';
import { buildReportDocument } from '../../../profiles/documents/report-document.ts';
import { derivedUid } from '../../../ihe/kos/uid.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { Origin } from '../../access/rights-of.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { changed } from '../write/changed-put.ts';
import type { PlanParts } from '../write/plan-parts.ts';
import { claimOf, findById } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import { manifestsOf, organizationOf } from './study-content.ts';

/** A report, its person and its Patient; `documentId` and `origin` when its document is yet to be written. */
export type ReportAtHand = {
  readonly resource: DiagnosticReport;
  readonly person: PersonKey;
  readonly patient: Patient;
  readonly documentId?: string;
  readonly origin?: Origin;
};

/** What is known of a study already: its ImagingStudy and its current manifests (`DocumentReference/id`). */
export type KnownStudy = { readonly imagingStudy: ImagingStudy; readonly manifests: readonly string[] };

type Deps = { readonly records: RecordStore; readonly indexer: Indexer };

/** Works out what is to be written of the documents of reports. */
export async function reportDocumentParts(
  deps: Deps,
  reading: NarrowReading,
  reports: readonly ReportAtHand[],
  known: ReadonlyMap<string, KnownStudy>,
  now: number,
): Promise<PlanParts[]> {
  const parts: PlanParts[] = [];
  for (const report of reports) parts.push(await partsOf(deps, reading, report, known, now));
  return parts;
}

async function partsOf(
  deps: Deps,
  reading: NarrowReading,
  report: ReportAtHand,
  known: ReadonlyMap<string, KnownStudy>,
  now: number,
): Promise<PlanParts> {
  const reportId = report.resource.id ?? '';
  const key = claimKey.reportDocument(reportId);
  const id = report.documentId ?? (await claimOf(deps.records, reading, key)) ?? newId();
  const standing = await findById<DocumentReference>(deps.records, reading, 'DocumentReference', id);
  const studies = await studiesAtHand(deps, reading, report.resource, known);
  const document = buildReportDocument({
    id,
    patient: report.patient,
    report: report.resource,
    attachment: attachmentOf(report.resource),
    organization: await organizationOf(deps.records, reading, organizationReference(report.resource)),
    studies: studies.map(({ imagingStudy }) => imagingStudy),
    manifests: studies.flatMap(({ manifests }) => manifests),
    uniqueId: derivedUid(`report|${reportId}`),
  });
  const facts = {
    person: report.person,
    subject: `Patient/${report.patient.id}`,
    released: isValidated(report.resource),
    ...(report.origin === undefined ? {} : { origin: report.origin }),
  };
  return { claims: [{ key, value: id }], ...changed(deps.indexer, standing?.row, document, now, facts) };
}

async function studiesAtHand(
  deps: Deps,
  reading: NarrowReading,
  report: DiagnosticReport,
  known: ReadonlyMap<string, KnownStudy>,
): Promise<KnownStudy[]> {
  const found: KnownStudy[] = [];
  for (const studyInstanceUID of studiesOf(report)) {
    const study = known.get(studyInstanceUID) ?? (await standingStudy(deps, reading, studyInstanceUID));
    if (study !== undefined) found.push(study);
  }
  return found;
}

async function standingStudy(
  deps: Deps,
  reading: NarrowReading,
  studyInstanceUID: string,
): Promise<KnownStudy | undefined> {
  const id = await claimOf(deps.records, reading, claimKey.imagingStudy(studyInstanceUID));
  const study = id === undefined ? undefined : await findById<ImagingStudy>(deps.records, reading, 'ImagingStudy', id);
  const person = study?.row.person;
  if (study === undefined || person === undefined) return undefined;
  const manifests = await manifestsOf(deps.records, reading({ person }), study.row.id, 'current');
  return { imagingStudy: study.resource, manifests: manifests.map(({ row }) => `DocumentReference/${row.id}`) };
}

/** The stored form of a report: its first attachment, which has url, size and hash. */
function attachmentOf(report: DiagnosticReport) {
  const attachment: Attachment = report.presentedForm?.[0] ?? {};
  const { url = '', contentType = '', size = 0, hash = '', title, language, creation } = attachment;
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

function organizationReference(report: DiagnosticReport): string {
  const performer = report.performer?.find(({ reference }) => reference?.startsWith('Organization/'));
  if (performer?.reference === undefined) throw new Error('A stored report has no performing organization');
  return performer.reference;
}
