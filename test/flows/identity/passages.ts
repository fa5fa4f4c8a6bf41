/** Passages through the doors to an exam, each under a request id of its own, by which its events are found. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent, DiagnosticReport, DocumentReference, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { MEDIA_TYPE, oidUri } from '../../../profiles/codes.ts';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';
import { byStudyUid } from '../../support/demonstration.ts';
import type { DocumentIds, ExamIds } from '../support/exam.ts';
import { DICOMWEB_DOORS } from '../support/doors/dicomweb-doors.ts';
import { FHIR_DOORS } from '../support/doors/fhir-doors.ts';
import { PAGE_DOORS } from '../support/doors/page-doors.ts';
import { PICTURE_DOORS } from '../support/doors/picture-doors.ts';
import { XDS_DOORS } from '../support/doors/xds-doors.ts';
import { signInOnPages } from '../../../fixtures/sign-in.ts';
import { requestIdOf } from '../support/trail.ts';
import type { Story } from './story.ts';

/** One request at a door. */
export type Passage = { readonly door: string; readonly requestId: string };

const BY_NUMBER = ['ITI-67 by patient', 'ITI-18 FindDocuments', 'ITI-18 FindDocumentsByReferenceId'];
/** Those that are asked by names of the exam, and by no number of its patient; of one viewing the first. */
const DOORS = [...FHIR_DOORS, ...DICOMWEB_DOORS, ...PICTURE_DOORS, ...XDS_DOORS].filter(
  ({ name, viewing }, at, all) =>
    !BY_NUMBER.includes(name) && (viewing === undefined || all.findIndex((other) => other.viewing === viewing) === at),
);

/** Goes through every door to an exam; each shows something. */
export async function passAll(story: Story, caller: FhirCaller, study: DemoStudy): Promise<readonly Passage[]> {
  const ids = await namesOf(caller, study);
  const passages: Passage[] = [];
  for (const { name, ask } of DOORS) {
    const requestId = `urn:uuid:${randomUUID()}`;
    const { status } = await ask({ url: story.server.url, token: caller.token, requestId, ids });
    expect(status, name).to.equal(200);
    passages.push({ door: name, requestId });
  }
  return passages;
}

/** Opens the pages of an exam: each lists the other exams of its patient, too. */
export async function openPages(
  { server: { url } }: Story,
  person: string,
  { caller, study }: { readonly caller: FhirCaller; readonly study: DemoStudy },
): Promise<readonly Passage[]> {
  const ids = await namesOf(caller, study);
  const session = await signInOnPages({ url, person });
  const passages: Passage[] = [];
  for (const { name, ask } of PAGE_DOORS.filter(({ event }) => event.action === 'R')) {
    const requestId = `urn:uuid:${randomUUID()}`;
    const { status, body } = await ask({ url, token: caller.token, session, requestId, ids });
    expect(status, body.toString()).to.equal(200);
    passages.push({ door: name, requestId });
  }
  return passages;
}

/** Makes one FHIR request, which must succeed. */
export async function pass(caller: FhirCaller, path: string): Promise<Passage> {
  const requestId = `urn:uuid:${randomUUID()}`;
  const answer = await caller.get(path, { 'x-request-id': requestId });
  expect(answer.status, answer.text).to.equal(200);
  return { door: path, requestId };
}

/** Of some passages how many events a patient reads of each, by door. */
export async function heardOf(
  patient: FhirCaller,
  passages: readonly Passage[],
): Promise<Readonly<Record<string, number>>> {
  const events = await eventsOf(patient, passages);
  const ids = events.map(requestIdOf);
  return Object.fromEntries(passages.map(({ door, requestId }) => [door, ids.filter((id) => id === requestId).length]));
}

/** The events of some passages, as a patient reads them. */
export async function eventsOf(patient: FhirCaller, passages: readonly Passage[]): Promise<readonly AuditEvent[]> {
  const ids = passages.map(({ requestId }) => requestId);
  const events = await patient.find<AuditEvent>('AuditEvent?_count=500');
  return events.filter((event) => ids.includes(requestIdOf(event) ?? ''));
}

/** The same number of events of each. */
export function each(passages: readonly Passage[], count: number): Readonly<Record<string, number>> {
  return Object.fromEntries(passages.map(({ door }) => [door, count]));
}

async function namesOf(caller: FhirCaller, study: DemoStudy): Promise<ExamIds> {
  const uid = oidUri(study.studyInstanceUID);
  const { id: imagingStudy } = await caller.findOne<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`);
  const { id: diagnosticReport } = await caller.findOne<DiagnosticReport>(
    `DiagnosticReport?imaging-study:identifier=${uid}`,
  );
  const documents = await caller.find<DocumentReference>(`DocumentReference?related:identifier=${uid}&status=current`);
  const ofType = (type: string): DocumentIds =>
    documentIds(documents.find(({ content }) => content[0]?.attachment.contentType === type));
  const instances = [...study.instances()];
  return {
    patient: '',
    patientNumber: '',
    imagingStudy,
    diagnosticReport,
    reportNumber: '',
    studyInstanceUID: study.studyInstanceUID,
    seriesInstanceUID: instances[0]?.seriesInstanceUID ?? '',
    sopInstanceUIDs: instances.map(({ sopInstanceUID }) => sopInstanceUID),
    manifest: ofType(MEDIA_TYPE.dicom),
    reportDocument: ofType(MEDIA_TYPE.pdf),
  };
}

function documentIds(document: DocumentReference | undefined): DocumentIds {
  if (document === undefined) throw new Error('The exam lacks a document');
  const { id = '', content, masterIdentifier } = document;
  return {
    id,
    binary: content[0]?.attachment.url?.split('/').at(-1) ?? '',
    uniqueId: masterIdentifier?.value?.replace('urn:oid:', '') ?? '',
  };
}
