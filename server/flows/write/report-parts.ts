/** A report: a DiagnosticReport with its forms, which are kept as Binary and published as DocumentReference. */
import type { DiagnosticReport, Resource } from '@medplum/fhirtypes';
import { isValidated, requireIssuedNumbers, studiesOf } from '../../../profiles/documents/diagnostic-report.ts';
import { buildErrorNotice } from '../../../profiles/documents/error-notice.ts';
import { linkedTo, unlinked, withIssuer } from '../../../profiles/documents/report-links.ts';
import { isEnded, requireOnward } from '../../../profiles/documents/report-status.ts';
import { labelOf } from '../../../profiles/confidentiality.ts';
import { Fault } from '../../../profiles/fault.ts';
import { keepingSaid } from '../../../profiles/said-label.ts';
import { labelAllows } from '../../access/decide.ts';
import type { PersonKey } from '../../access/requester.ts';
import { NO_ORIGIN, type Origin } from '../../access/rights-of.ts';
import { claimKey, type ClaimKey } from '../../ports/claim-key.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import type { KnownPatient } from '../identity/persons.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import { grounded } from '../ground/ground.ts';
import { jobOf } from '../jobs/job-of.ts';
import { linkedStudies, type LinkedStudy } from '../study/linked-studies.ts';
import { reportDocumentParts } from '../study/report-document-parts.ts';
import { maskedStudiesParts } from '../study/relabelled-parts.ts';
import { requirePerformers, signersOf } from '../study/report-people.ts';
import { noticeParts } from '../notices/notice-parts.ts';
import { tellingOf } from '../notices/tell-news.ts';
import type { WriteAct } from './act.ts';
import { changed, sameContent } from './changed-put.ts';
import { organizationOf } from './patient-parts.ts';
import { examFiledBy, joinParts, oneOf, shownOf, type PlanParts } from './plan-parts.ts';
import { binaryParts, formsOf, storeForm } from './report-forms.ts';
import type { ActParts, Work, Written } from './work.ts';

/** The steps of a type whose forms are documents. A report ends by its status, it is not deleted. */
export const REPORT_HOOK = {
  prepare: storeForm,
  match: matchReport,
  find: findReport,
  parts: reportParts,
  remove: refuseRemoval,
};

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

/**
 * The establishment's report by its identifier, whatever the state of the record: no search would find it there.
 * `searched` for every other condition.
 */
async function matchReport(
  work: Work,
  _act: WriteAct,
  condition: URLSearchParams,
): Promise<InternalRow | 'searched' | undefined> {
  const [only, ...others] = [...condition];
  const [system = '', value = '', ...rest] = only?.[0] === 'identifier' ? only[1].split('|') : [];
  const isOne =
    others.length === 0 && rest.length === 0 && system !== '' && value !== '' && !/[,$\\]/.test(only?.[1] ?? '');
  if (!isOne || work.visit.requester.kind !== 'establishment') return 'searched';
  return await findReport(work, { resourceType: 'DiagnosticReport', identifier: [{ system, value }] } as Resource);
}

async function refuseRemoval(): Promise<never> {
  throw new Fault('not-supported', 'A report is not deleted: its status says that it is cancelled or was an error');
}

/** A report that is written, as its sender means it, and what stands of it. */
type Sending = {
  readonly report: DiagnosticReport;
  readonly organization: string;
  readonly standing: DiagnosticReport | undefined;
  readonly row: InternalRow | undefined;
  readonly person: PersonKey;
  /** `Patient/id` */
  readonly subject: string;
  readonly patient: KnownPatient;
};

/**
 * Works out the parts of a report.
 * @throws {Fault} conflict - it stands already with another content, or has come further
 * @throws {Fault} invalid, business-rule - it names an establishment that is unknown, or for which it may not speak
 */
async function reportParts(work: Work, written: Written): Promise<ActParts> {
  const { placed, known } = written;
  if (known === undefined) throw new Error('A report without a patient is not written here');
  const { person, patient: subject } = known;
  const organization = organizationOf(work.visit.requester);
  const row = placed.standing;
  const standing = row && openedResource<DiagnosticReport>(row);
  const kept = await asKept(work, written, standing, { organization, subject, person });
  const { item: report, rests } =
    row?.subject === subject
      ? { item: kept, rests: {} }
      : await grounded(work.deps, work.reading, kept, { organization, subject, at: work.now });
  const sending: Sending = { report, organization, standing, row, person, subject, patient: known };
  const studies = await linkedStudies(work.deps, work.reading, { resource: report, person, organization });
  const linked = linkedTo(report, studies);
  if (standing !== undefined) {
    const isSame = sameContent(unlinked(standing), unlinked(linked));
    if (isSame && placed.act.interaction === 'create') return { person, subject, parts: {} };
    if (!isSame) requireNewVersion(placed.act, standing, report);
  }
  const parts = await partsOf(work, placed.act, { ...sending, report: linked }, studies);
  return { person, subject, parts: oneOf([parts, rests]) };
}

async function asKept(
  work: Work,
  { placed, resource }: Written,
  standing: DiagnosticReport | undefined,
  { organization, subject, person }: Pick<Sending, 'organization' | 'subject' | 'person'>,
): Promise<DiagnosticReport> {
  // A patch, and an update without bytes, come here first.
  requireIssuedNumbers(resource as DiagnosticReport);
  const sent = withIssuer(resource as DiagnosticReport, work.deps.region.domainOf(organization).accessionSystem);
  await requirePerformers(work.deps, work.reading, { report: sent, person, organization });
  const { presentedForm: _, ...rest } = sent;
  const forms = formsOf(work, { sent, standing, document: work.documents.get(placed.act) });
  return withPerformer(
    {
      ...keepingSaid(rest, standing),
      id: placed.id,
      subject: { reference: subject },
      ...(forms.length === 0 ? {} : { presentedForm: [...forms] }),
    },
    organization,
  );
}

async function partsOf(
  work: Work,
  act: WriteAct,
  sending: Sending,
  studies: readonly LinkedStudy[],
): Promise<PlanParts> {
  const { deps, reading, now } = work;
  const { report, standing, row, organization, person, subject, patient } = sending;
  const signers = await signersOf(deps.records, reading, person, report);
  const former = standing === undefined ? signers : await signersOf(deps.records, reading, person, standing);
  // Of an error nobody made an exam: it opens the record to no imaging service.
  const { services } = report.status === 'entered-in-error' ? NO_ORIGIN : examFiledBy(deps.region, organization);
  const origin: Origin = { sources: [organization, ...signers], services };
  // Who could see it is told of its end.
  const released = isValidated(report) || (isEnded(report) && row?.released === true);
  const facts = { person, subject, released };
  const put = changed(deps.indexer, row, report, now, { ...facts, origin });
  if (put.puts === undefined) return {};
  const isNew = standing === undefined;
  const hand = {
    resource: report,
    ...facts,
    patient,
    organization,
    studies,
    origin: shownOf(deps.region, report, ...origin.sources),
    isMoved: signers.join() !== former.join(),
    isNew,
  };
  const documents = await reportDocumentParts(deps, reading, hand, new Map(), now);
  const document = work.documents.get(act);
  const forms = { report, standing, row, document, facts };
  const masked = await maskedStudiesParts(deps, reading, report, studies, now);
  const notices = errorNoticeParts(work, sending);
  return joinParts(documents, put, ...masked, ...(await binaryParts(work, forms)), notices, {
    claims: await claimsOf(work, sending),
    jobs: [
      ...refreshesOf(report, standing, studies).map((uid) => jobOf('refresh-study', uid, now)),
      ...(isNew || isValidated(report) ? [tellingOf(`DiagnosticReport/${report.id}`, now)] : []),
    ],
  });
}

/** The exams that the report tells of or told of, and those that it may not tell of. */
function refreshesOf(
  report: DiagnosticReport,
  standing: DiagnosticReport | undefined,
  studies: readonly LinkedStudy[],
): readonly string[] {
  const told = [report, ...(standing === undefined ? [] : [standing])].flatMap(studiesOf);
  return [...new Set([...told, ...studies.map(({ studyInstanceUID }) => studyInstanceUID)])];
}

/** A patient who could read a report that was an error is told that there was one; not which, and not what it said. */
function errorNoticeParts(
  { deps, now }: Work,
  { report, standing, row, person, subject: patient }: Sending,
): PlanParts {
  const isNews = report.status === 'entered-in-error' && standing?.status !== 'entered-in-error';
  if (!isNews || row?.released !== true || !labelAllows('self', labelOf(standing?.meta))) return {};
  return noticeParts(deps.indexer, { person, patient }, now, buildErrorNotice);
}

/** @throws {Fault} conflict - an identifier is that of another report */
async function claimsOf({ deps, reading }: Work, { report, organization, standing }: Sending) {
  const claims = reportKeys(report, organization).map((key) => ({ key, value: report.id ?? '' }));
  // Who takes one of a new report meanwhile may have sent the same: the commit sees to it, and then that one stands.
  if (standing === undefined) return claims;
  for (const { key, value } of claims) {
    const held = await claimOf(deps.records, reading, key);
    if (held !== undefined && held !== value)
      throw new Fault('conflict', 'Another report has this identifier', { expression: 'DiagnosticReport.identifier' });
  }
  return claims;
}

/** @throws {Fault} conflict - the message goes back, or is a new version and does not say so */
function requireNewVersion({ interaction }: WriteAct, standing: DiagnosticReport, report: DiagnosticReport): void {
  requireOnward(standing, report);
  if (interaction !== 'create') return;
  throw new Fault(
    'conflict',
    `The report stands already with another content; a new version is sent by PUT DiagnosticReport/${standing.id}, ` +
      'or by PUT DiagnosticReport?identifier=…',
    { expression: 'DiagnosticReport.identifier' },
  );
}

/** The establishment that sent a report is among its performers: XDS and MHD need a custodian. */
function withPerformer(report: DiagnosticReport, organization: string): DiagnosticReport {
  const performers = report.performer ?? [];
  const named = performers.some(({ reference }) => reference?.startsWith('Organization/'));
  return named ? report : { ...report, performer: [...performers, { reference: organization }] };
}
