/** A region in which reports are sent: Hélène, whom Strasbourg and Nancy feed, Gaëtan, and who may read of them. */
import { randomUUID } from 'node:crypto';
import type { Bundle, DiagnosticReport, DocumentReference, ImagingStudy, Patient, Reference } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../fixtures/consent.ts';
import { aStudy, type StudyOverrides } from '../../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { patientIdentifier } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import { ACTION } from '../../../ihe/codes.ts';
import { CODE_SYSTEM, oidUri } from '../../../profiles/codes.ts';
import { eventually, type FhirAnswer, type FhirCaller } from '../../support/clients/fhir-caller.ts';
import { sendStudy } from '../../support/clients/send-study.ts';
import { adhocQuery, retrieveDocumentSet } from '../../support/clients/xds.ts';
import { byStudyUid, establishmentCaller, personCaller } from '../../support/demonstration.ts';
import type { EditedRegion } from '../../support/region-file.ts';
import type { TestServer } from '../../support/server.ts';
import type { Reply } from './door.ts';
import { feed as feedPatient, visited } from './feed.ts';
import { onEachStore, type Running } from './each-store.ts';
import { post, responseOf, select } from './soap.ts';

/** Whoever asks in these tests. `emergency` has declared one for Hélène. */
export type ReportCallers = Readonly<
  Record<'strasbourg' | 'nancy' | 'patient' | 'declared' | 'radiologist' | 'stranger' | 'emergency', FhirCaller>
>;

/** The running region. */
export type ReportRegion = ReportCallers & {
  readonly server: TestServer;
  /** `sqlite`, or the URI of the database. */
  readonly store: string;
  /** Ids of the Patients, as each establishment feeds them. */
  readonly patients: Readonly<Record<'helene' | 'heleneNancy' | 'gaetan', string>>;
};

/** The repository of the demonstration region. */
const REPOSITORY = '2.25.206875368712831322602221010714274556034';

type Options = {
  /** `readsFor` of Nancy: establishments whose exams it reads. */
  readonly nancyReadsFor?: readonly string[];
};

/** Describes one subject on both stores. */
export function describeReports(title: string, options: Options, body: (region: () => ReportRegion) => void): void {
  onEachStore(title, { region: (file) => change(file, options) }, (running) => {
    let region: ReportRegion | undefined;
    before(async () => void (region = await openRegion(running())));
    body(() => region ?? expect.fail('The region has not started'));
  });
}

function change(region: EditedRegion, { nancyReadsFor }: Options): void {
  if (nancyReadsFor === undefined) return;
  region.identifierDomains = region.identifierDomains.map((domain) =>
    domain.organization === ESTABLISHMENTS.nancy.organization ? { ...domain, readsFor: nancyReadsFor } : domain,
  );
}

async function openRegion({ server, store }: Running): Promise<ReportRegion> {
  const strasbourg = await establishmentCaller(server, 'strasbourg');
  const nancy = await establishmentCaller(server, 'nancy');
  const patients = {
    helene: await feed(strasbourg, 'helene', 'strasbourg'),
    heleneNancy: await feed(nancy, 'helene', 'nancy'),
    gaetan: await feed(strasbourg, 'gaetan', 'strasbourg'),
  };
  await declareAtVisit(strasbourg, patients.helene);
  return {
    server,
    store,
    strasbourg,
    nancy,
    patients,
    patient: await personCaller(server, 'demo-patient'),
    declared: await personCaller(server, 'demo-declared'),
    radiologist: await personCaller(server, 'demo-radiologist'),
    stranger: await personCaller(server, 'demo-stranger'),
    emergency: await emergencyOf(server),
  };
}

/** She came to Strasbourg, which has no exam of hers yet, and declared Dr Brandessart there. */
async function declareAtVisit(strasbourg: FhirCaller, patient: string): Promise<void> {
  await visited(strasbourg, patient);
  const declared = await strasbourg.send('POST', 'Consent', demoConsent(`Patient/${patient}`));
  expect(declared.status, declared.text).to.equal(201);
}

async function feed(
  caller: FhirCaller,
  person: 'helene' | 'gaetan',
  establishment: 'strasbourg' | 'nancy',
): Promise<string> {
  await feedPatient(caller, PATIENTS[person], establishment);
  const { system, value } = patientIdentifier(PATIENTS[person], ESTABLISHMENTS[establishment]);
  return (await caller.findOne<Patient>(`Patient?identifier=${system}|${value}`)).id;
}

/** The radiologist of Nancy has to do with nobody's record, but for an emergency of Hélène's. */
async function emergencyOf(server: TestServer): Promise<FhirCaller> {
  const caller = await personCaller(server, 'demo-stranger');
  const declared = await caller.send('POST', 'Patient/$break-glass', {
    resourceType: 'Parameters',
    parameter: [
      { name: 'identifier', valueIdentifier: PATIENTS.helene.national },
      { name: 'reason', valueCode: 'ETREAT' },
      { name: 'justification', valueString: 'Patiente inconsciente aux urgences, antécédents inconnus' },
    ],
  });
  expect(declared.status, declared.text).to.equal(201);
  return caller;
}

/** A study of Hélène's in Strasbourg, but for what is said otherwise. */
export function anExam(key: string, changes: StudyOverrides = {}): DemoStudy {
  return aStudy({ key: `reports/${key}`, patient: PATIENTS.helene, instances: 1, ...changes });
}

/** Sends the images of an exam, and waits until its establishment sees it. */
export async function imagesOf(
  region: ReportRegion,
  study: DemoStudy,
): Promise<ImagingStudy & { readonly id: string }> {
  expect(await sendStudy(region.server, study), 'C-STORE').to.deep.equal([0]);
  const author = region[study.establishment.key === 'nancy' ? 'nancy' : 'strasbourg'];
  return await eventually(async () => {
    const [found] = await author.find<ImagingStudy & { readonly id: string }>(`ImagingStudy?${byStudyUid(study)}`);
    return found;
  });
}

/** A small PDF that says a text. */
export function aPdf(text: string): Buffer {
  return Buffer.from(`%PDF-1.4\n% ${text}\n%%EOF\n`);
}

/** A presentedForm that brings a text. */
export function aForm(text: string) {
  return {
    contentType: 'application/pdf',
    language: 'fr-FR',
    data: aPdf(text).toString('base64'),
    title: 'Compte rendu',
    creation: '2026-01-15T18:00:00+01:00',
  };
}

/** What the tests say of a report: its number, the form's text, and elements that replace those of every report. */
export type ReportSaid = Omit<Partial<DiagnosticReport>, 'text'> & { readonly text?: string };

/** A final report of Hélène's from Strasbourg, on a study by its UID. */
export function aReport(
  { patients }: Pick<ReportRegion, 'patients'>,
  key: string,
  { text = key, ...said }: ReportSaid = {},
): DiagnosticReport {
  return {
    resourceType: 'DiagnosticReport',
    identifier: [{ system: 'urn:oid:2.25.331', value: key }],
    status: 'final',
    code: { coding: [{ system: CODE_SYSTEM.loinc, code: '18748-4' }], text: 'Scanner thoracique' },
    subject: { reference: `Patient/${patients.helene}` },
    effectiveDateTime: '2026-01-15T09:30:00+01:00',
    issued: '2026-01-15T18:00:00+01:00',
    conclusion: `Conclusion: ${text}`,
    presentedForm: [aForm(text)],
    ...said,
  };
}

/** A reference to an exam by its Study Instance UID. */
export function examByUid({ studyInstanceUID }: Pick<DemoStudy, 'studyInstanceUID'>): Reference<ImagingStudy> {
  return { type: 'ImagingStudy', identifier: { system: 'urn:dicom:uid', value: oidUri(studyInstanceUID) } };
}

/** The identifier by which a report is put. */
export function conditionOf({ identifier = [] }: DiagnosticReport): string {
  return `identifier=${identifier[0]?.system}|${identifier[0]?.value}`;
}

/** Posts a report and gives its id. */
export async function sent(caller: FhirCaller, report: DiagnosticReport): Promise<string> {
  const answer = await caller.send('POST', 'DiagnosticReport', report);
  expect(answer.status, answer.text).to.equal(201);
  return idOf(answer);
}

/** Puts a further version by the report's identifier. */
export async function put(caller: FhirCaller, report: DiagnosticReport, status = 200): Promise<FhirAnswer> {
  const answer = await caller.send('PUT', `DiagnosticReport?${conditionOf(report)}`, report);
  expect(answer.status, answer.text).to.equal(status);
  return answer;
}

/** The id of the resource that an answer's Location names. */
export function idOf(answer: FhirAnswer): string {
  return (answer.headers.get('location') ?? '').split('/').at(-3) ?? '';
}

/** The status of a read by id. */
export async function seen(caller: FhirCaller, path: string): Promise<number> {
  return (await caller.get(path)).status;
}

/** The documents of a report that a caller finds, the first made first. */
export async function documentsOf(caller: FhirCaller, reportId: string): Promise<DocumentReference[]> {
  const found = await caller.find<DocumentReference>(`DocumentReference?related=DiagnosticReport/${reportId}`);
  return found.toSorted((one, other) => ((one.id ?? '') < (other.id ?? '') ? -1 : 1));
}

/** The PDF behind an attachment, as text, or the status that refuses it. */
export async function bytesAt(caller: FhirCaller, url = ''): Promise<string | number> {
  const answer = await caller.get(url.split('/fhir/')[1] ?? '', { accept: 'application/fhir+json' });
  if (answer.status !== 200) return answer.status;
  return Buffer.from(answer.json<{ data: string }>().data, 'base64').toString();
}

/** The uniqueId of a document, dotted. */
export function uniqueIdOf({ masterIdentifier }: DocumentReference): string {
  return masterIdentifier?.value?.replace('urn:oid:', '') ?? '';
}

/** Retrieves a document by ITI-43: the status and the errors of the answer. */
export async function iti43({ server }: ReportRegion, { token }: FhirCaller, uniqueId: string) {
  const body = retrieveDocumentSet([[REPOSITORY, uniqueId]]);
  const message = { path: '/xds/repository', action: ACTION.retrieveDocumentSet, body };
  const reply = await post({ url: server.url, token, requestId: `urn:uuid:${randomUUID()}` }, message);
  const { status, errors } = responseOf(reply);
  return [status, ...errors.map((error) => error.split(' ')[0])];
}

/** The entries of Hélène's documents by entryUUID, each with its availabilityStatus (ITI-18 FindDocuments). */
export async function entriesOf(region: ReportRegion, caller: FhirCaller): Promise<Map<string, string>> {
  const reply = await findDocuments(region, caller);
  const [ids, statuses] = [select(reply, ENTRY, 'id'), select(reply, ENTRY, 'status')];
  return new Map(ids.map((id, at) => [id, statuses[at]?.split(':').at(-1) ?? '']));
}

/** The names of the institutions that are authors of one of Hélène's documents (ITI-18 FindDocuments). */
export async function authorInstitutionsOf(region: ReportRegion, caller: FhirCaller, id: string): Promise<string[]> {
  const entry = `${ENTRY}[@id='urn:uuid:${id}']`;
  const slot = "rim:Classification/rim:Slot[@name='authorInstitution']/rim:ValueList/rim:Value";
  return select(await findDocuments(region, caller), `${entry}/${slot}`).map((xon) => xon.split('^')[0] ?? '');
}

async function findDocuments({ server }: ReportRegion, { token }: FhirCaller): Promise<Reply> {
  const { system, value } = patientIdentifier(PATIENTS.helene, ESTABLISHMENTS.strasbourg);
  const status = 'urn:oasis:names:tc:ebxml-regrep:StatusType';
  const slots = [
    ['$XDSDocumentEntryPatientId', `'${value}^^^&${system.slice('urn:oid:'.length)}&ISO'`],
    ['$XDSDocumentEntryStatus', `('${status}:Approved','${status}:Deprecated')`],
  ] as const;
  const message = { path: '/xds/registry', action: ACTION.registryStoredQuery, body: adhocQuery(slots) };
  return await post({ url: server.url, token, requestId: `urn:uuid:${randomUUID()}` }, message);
}

const ENTRY = '//rim:ExtrinsicObject';

/** How many a search finds. */
export async function countOf(caller: FhirCaller, path: string): Promise<number | undefined> {
  return (await caller.get(`${path}&_summary=count`)).json<Bundle>().total;
}
