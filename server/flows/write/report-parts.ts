/** A report: a DiagnosticReport with its document, which is kept as a Binary and published as a DocumentReference. */
import type { Attachment, DiagnosticReport, Resource } from '@medplum/fhirtypes';
import {
  isValidated,
  requireIssuedNumbers,
  requireReport,
  studiesOf,
} from '../../../profiles/documents/diagnostic-report.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey, type ClaimKey } from '../../ports/claim-key.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { reportDocumentParts } from '../study/report-document-parts.ts';
import { newId } from '../new-id.ts';
import type { WriteAct } from './act.ts';
import { changed, sameContent } from './changed-put.ts';
import { organizationOf } from './patient-parts.ts';
import { examFiledBy, filedBy, joinParts, putOf, type PlanParts } from './plan-parts.ts';
import { storeDocument, type StoredDocument } from './store-document.ts';
import type { ActParts, Work, WriteDeps, Written } from './work.ts';

/** The steps of a type whose forms are documents. A report ends by its status, it is not deleted. */
export const REPORT_HOOK = { prepare: storeForm, find: findReport, parts: reportParts, remove: refuseRemoval };

const PDF_SIGNATURE = Buffer.from('%PDF-');

/**
 * Checks a report and stores its document. A report that comes without bytes keeps the document that it has.
 * @throws {Fault} required, invalid - something that a report must have is missing or broken
 */
async function storeForm({ images }: WriteDeps, act: WriteAct): Promise<StoredDocument | undefined> {
  if (!('resource' in act)) return undefined;
  const sent = act.resource as DiagnosticReport;
  const [form, ...others] = sent.presentedForm ?? [];
  if (act.interaction === 'update' && form?.data === undefined && form?.url !== undefined) return undefined;
  requireReport(sent);
  if (form?.data === undefined || others.length > 0)
    throw new Fault('not-supported', 'A report has exactly one presentedForm, with its data', {
      expression: 'DiagnosticReport.presentedForm',
    });
  const bytes = Buffer.from(form.data, 'base64');
  if (!bytes.subarray(0, PDF_SIGNATURE.length).equals(PDF_SIGNATURE))
    throw new Fault('invalid', 'The presentedForm is not a PDF', { expression: 'DiagnosticReport.presentedForm' });
  return await storeDocument(images, bytes);
}

/** The claims that an establishment's report is the one of its identifiers. */
export function reportKeys({ identifier = [] }: DiagnosticReport, organization: string): ClaimKey[] {
  return identifier.map(({ system = '', value = '' }) => claimKey.report(organization, system, value));
}

/** The establishment's report that has one of the identifiers of a report. */
async function findReport({ deps, reading, visit }: Work, resource: Resource): Promise<InternalRow | undefined> {
  for (const key of reportKeys(resource as DiagnosticReport, organizationOf(visit.requester))) {
    const id = await claimOf(deps.records, reading, key);
    if (id !== undefined) return await rowById(deps.records, reading, 'DiagnosticReport', id);
  }
  return undefined;
}

async function refuseRemoval(): Promise<never> {
  throw new Fault('not-supported', 'A report is not deleted: its status says that it is cancelled or was an error');
}

/**
 * Works out the parts of a report.
 * @throws {Fault} conflict - the establishment's report with this identifier stands already with another content
 */
async function reportParts(work: Work, { placed, resource, known }: Written): Promise<ActParts> {
  if (known === undefined) throw new Error('A report without a patient is not written here');
  const { deps, visit, reading, now } = work;
  const organization = organizationOf(visit.requester);
  const { person, patient: subject } = known;
  // A patch, and an update without bytes, come here first.
  requireIssuedNumbers(resource as DiagnosticReport);
  const standing = placed.standing && openedResource<DiagnosticReport>(placed.standing);
  const form = formOf(work, placed.act, resource as DiagnosticReport, standing);
  const report = withPerformer(
    { ...(resource as DiagnosticReport), id: placed.id, subject: { reference: subject }, presentedForm: [form] },
    organization,
  );
  if (placed.act.interaction === 'create' && standing !== undefined) {
    refuseOtherContent(standing, report);
    return { person, subject, parts: {} };
  }
  const origin = standing === undefined ? { origin: examFiledBy(deps.region, organization) } : {};
  const facts = { person, subject, released: isValidated(report), ...origin };
  const put = changed(deps.indexer, placed.standing, report, now, facts);
  if (put.puts === undefined) return { person, subject, parts: {} };
  const isNew = standing === undefined ? { documentId: newId(), origin: filedBy(organization) } : {};
  const hand = { resource: report, person, patient: known.resource, ...isNew };
  const documents = await reportDocumentParts(deps, reading, [hand], new Map(), now);
  const parts = joinParts(...documents, put, binaryParts(work, placed, { report, standing, facts }), {
    claims: await claimsOf(work, report, organization),
    jobs: [...new Set([report, ...(standing === undefined ? [] : [standing])].flatMap(studiesOf))].map((uid) =>
      jobOf('refresh-study', uid, now),
    ),
  });
  return { person, subject, parts };
}

/** The form as it is kept: its bytes lie in a Binary of their own, which a later version of the report goes on with. */
function formOf(
  { deps, documents }: Work,
  act: WriteAct,
  { presentedForm: [sent, ...others] = [] }: DiagnosticReport,
  standing: DiagnosticReport | undefined,
): Attachment {
  const document = documents.get(act);
  const kept = standing?.presentedForm?.[0];
  const { data, ...described } = sent ?? {};
  if (document === undefined) {
    if (kept?.url === undefined || kept.url !== described.url || data !== undefined || others.length > 0)
      throw new Fault('not-supported', 'A report keeps its presentedForm, or is put with a new one and its data', {
        expression: 'DiagnosticReport.presentedForm',
      });
    return { ...described, ...sizeAndHash(kept) };
  }
  const url = kept?.url ?? `${deps.publicUrl()}/fhir/Binary/${newId()}`;
  return { ...described, url, size: document.blob.size, hash: document.sha1Base64 };
}

function sizeAndHash({ size, hash }: Attachment): Attachment {
  return { ...(size === undefined ? {} : { size }), ...(hash === undefined ? {} : { hash }) };
}

type Content = {
  readonly report: DiagnosticReport;
  readonly standing: DiagnosticReport | undefined;
  readonly facts: { readonly person: PersonKey; readonly subject: string; readonly released: boolean };
};

function binaryParts({ deps, documents, now }: Work, { act, id }: Written['placed'], content: Content): PlanParts {
  const document = documents.get(act);
  const { report, standing, facts } = content;
  const [form, former] = [report.presentedForm?.[0], standing?.presentedForm?.[0]];
  if (document === undefined || form?.hash === former?.hash) return {};
  const binary = {
    resourceType: 'Binary' as const,
    id: form?.url?.split('/Binary/').at(-1) ?? '',
    contentType: form?.contentType ?? '',
  };
  const parent = `DiagnosticReport/${id}`;
  return { puts: [putOf(deps.indexer, binary, now, { ...facts, parent, blob: document.blob })] };
}

/** @throws {Fault} conflict - an identifier is that of another report */
async function claimsOf({ deps, reading }: Work, report: DiagnosticReport, organization: string) {
  const claims = reportKeys(report, organization).map((key) => ({ key, value: report.id ?? '' }));
  for (const { key, value } of claims) {
    const held = await claimOf(deps.records, reading, key);
    if (held !== undefined && held !== value)
      throw new Fault('conflict', 'Another report has this identifier', { expression: 'DiagnosticReport.identifier' });
  }
  return claims;
}

function refuseOtherContent(standing: DiagnosticReport, report: DiagnosticReport): void {
  if (sameContent(standing, report)) return;
  throw new Fault(
    'conflict',
    `The report stands already with another content; a new version is sent by PUT DiagnosticReport/${standing.id}`,
    { expression: 'DiagnosticReport.identifier' },
  );
}

/** The establishment that sent a report is among its performers: XDS and MHD need a custodian. */
function withPerformer(report: DiagnosticReport, organization: string): DiagnosticReport {
  const performers = report.performer ?? [];
  const named = performers.some(({ reference }) => reference?.startsWith('Organization/'));
  return named ? report : { ...report, performer: [...performers, { reference: organization }] };
}
