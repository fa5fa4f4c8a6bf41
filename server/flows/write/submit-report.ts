/** A report: a DiagnosticReport with its document, which is kept as a Binary and published as a DocumentReference. */
import { randomUUID } from 'node:crypto';
import type { Binary, DiagnosticReport, Patient } from '@medplum/fhirtypes';
import { isValidated, requireReport, studiesOf } from '../../../profiles/documents/diagnostic-report.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { SystemGrant } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { claimKey, type ClaimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { authorRight, examRights, joinParts, putOf } from './plan-parts.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { reportDocumentParts } from '../study/report-document-parts.ts';
import { storeDocument, type StoredDocument } from './store-document.ts';
import type { EntryParts } from './submission.ts';

type Deps = {
  readonly records: RecordStore;
  readonly images: ImageStore;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  readonly publicUrl: () => string;
};

/** A report whose document is in the image store already; its ids are fixed, so the plan can be built again. */
export type StoredReport = {
  readonly resource: DiagnosticReport;
  readonly binary: Binary & { id: string };
  readonly document: StoredDocument;
  readonly documentId: string;
};

/** Whose report it is. */
export type ReportSubject = { readonly person: PersonKey; readonly patient: Patient; readonly organization: string };

/**
 * Checks a report and stores its document.
 * @throws {Fault} required, invalid - something that a report must have is missing or broken
 */
export async function storeReport(
  deps: Pick<Deps, 'images' | 'publicUrl'>,
  sent: DiagnosticReport,
): Promise<StoredReport> {
  requireReport(sent);
  const [form, ...others] = sent.presentedForm ?? [];
  if (form?.data === undefined || others.length > 0)
    throw new Fault('not-supported', 'A report has exactly one presentedForm, with its data', {
      expression: 'DiagnosticReport.presentedForm',
    });
  const { data, ...described } = form;
  const bytes = Buffer.from(data, 'base64');
  if (!bytes.subarray(0, 5).equals(PDF_SIGNATURE))
    throw new Fault('invalid', 'The presentedForm is not a PDF', { expression: 'DiagnosticReport.presentedForm' });
  const document = await storeDocument(deps.images, bytes);
  const binary = { resourceType: 'Binary', id: randomUUID(), contentType: described.contentType ?? '' } as const;
  const stored = {
    ...described,
    url: `${deps.publicUrl()}/fhir/Binary/${binary.id}`,
    size: bytes.length,
    hash: document.sha1Base64,
  };
  return {
    resource: { ...sent, id: randomUUID(), presentedForm: [stored] },
    binary,
    document,
    documentId: randomUUID(),
  };
}

/** The claims that an establishment's report is the one of its identifiers. */
export function reportKeys({ identifier = [] }: DiagnosticReport, organization: string): ClaimKey[] {
  return identifier.map(({ system = '', value = '' }) => claimKey.report(organization, system, value));
}

const PDF_SIGNATURE = Buffer.from('%PDF-');

/**
 * Works out the parts of a stored report.
 * @throws {Fault} conflict - the establishment's report with this identifier stands already
 */
export async function reportParts(
  deps: Deps,
  grant: SystemGrant,
  stored: StoredReport,
  subject: ReportSubject,
  now: number,
): Promise<EntryParts> {
  const { person, organization } = subject;
  const reference = `Patient/${subject.patient.id}`;
  const resource = withPerformer({ ...stored.resource, subject: { reference } }, organization);
  const id = resource.id ?? '';
  const facts = { person, subject: reference, released: isValidated(resource) };
  const binary = putOf(deps.indexer, stored.binary, now, {
    ...facts,
    parent: `DiagnosticReport/${id}`,
    blob: stored.document.blob,
  });
  const hand = { resource, person, patient: subject.patient, documentId: stored.documentId };
  const documents = await reportDocumentParts(deps, grant, [hand], new Map(), now);
  const services = deps.region.servicesOf(organization);
  const parts = joinParts(...documents, {
    claims: reportKeys(resource, organization).map((key) => ({ key, value: id })),
    puts: [putOf(deps.indexer, resource, now, facts), binary],
    rights: [
      ...examRights(person, `DiagnosticReport/${id}`, organization, services),
      authorRight(person, `DocumentReference/${stored.documentId}`, organization),
    ],
    agenda: studiesOf(resource).map((studyInstanceUID) => ({ key: `refresh|${studyInstanceUID}`, at: now })),
  });
  return { type: 'DiagnosticReport', id, status: '201 Created', person, subject: reference, parts };
}

/** The establishment that sent a report is among its performers: XDS and MHD need a custodian. */
function withPerformer(report: DiagnosticReport, organization: string): DiagnosticReport {
  const performers = report.performer ?? [];
  const named = performers.some(({ reference }) => reference?.startsWith('Organization/'));
  return named ? report : { ...report, performer: [...performers, { reference: organization }] };
}
