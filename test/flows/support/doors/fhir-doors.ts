/** FHIR search and read, ITI-67 and ITI-68. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type {
  Bundle,
  DiagnosticReport,
  DocumentReference,
  ImagingStudy,
  OperationOutcome,
  Resource,
} from '@medplum/fhirtypes';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { get, ofReport, type Door, type Reply, type Sent } from '../door.ts';
import type { ExamIds } from '../exam.ts';

const JSON_TYPE = 'application/fhir+json';
const PATIENTS = `urn:oid:${ESTABLISHMENTS.strasbourg.patientIdDomain}`;
const study = ({ studyInstanceUID }: ExamIds): string => `urn:oid:${studyInstanceUID}`;

/** The doors. */
export const FHIR_DOORS: readonly Door[] = [
  search(
    'FHIR ImagingStudy search',
    (ids) => `ImagingStudy?identifier=urn:dicom:uid|${study(ids)}`,
    (ids) => [ids.imagingStudy],
  ),
  read('FHIR ImagingStudy read', (ids) => `ImagingStudy/${ids.imagingStudy}`, isTheStudy),
  ofReport(
    search(
      'FHIR DiagnosticReport search',
      (ids) => `DiagnosticReport?imaging-study:identifier=${study(ids)}`,
      (ids) => [ids.diagnosticReport],
    ),
  ),
  ofReport(read('FHIR DiagnosticReport read', (ids) => `DiagnosticReport/${ids.diagnosticReport}`, isTheReport)),
  search(
    'FHIR DocumentReference search',
    (ids) => `DocumentReference?related:identifier=${study(ids)}`,
    documents,
    'ITI-67',
  ),
  read('FHIR DocumentReference read (KOS)', (ids) => `DocumentReference/${ids.manifest.id}`, isTheManifest),
  ofReport(
    read('FHIR DocumentReference read (PDF)', (ids) => `DocumentReference/${ids.reportDocument.id}`, isTheDocument),
  ),
  search(
    'ITI-67 by patient',
    (ids) => `DocumentReference?patient.identifier=${PATIENTS}|${ids.patientNumber}&status=current`,
    documents,
    'ITI-67',
  ),
  binary('ITI-68 manifest (KOS)', 'application/dicom', (ids) => ids.manifest.binary, expectManifest),
  ofReport(binary('ITI-68 report (PDF)', 'application/pdf', (ids) => ids.reportDocument.binary, expectReport)),
];

function documents({ manifest, reportDocument }: ExamIds): string[] {
  return [manifest.id, reportDocument.id];
}

function search(
  name: string,
  path: (ids: ExamIds) => string,
  matches: (ids: ExamIds) => readonly string[],
  transaction?: string,
): Door {
  return {
    name,
    event: { type: 'rest', subtype: ['search-type', ...(transaction === undefined ? [] : [transaction])], action: 'E' },
    ask: async (call) => await get(call, `/fhir/${path(call.ids)}`, JSON_TYPE),
    expectShown: (reply, { ids }) => {
      expect(reply.status).to.equal(200);
      const { total, entry = [] } = bodyOf<Bundle>(reply);
      const matched = entry.filter((one) => one.search?.mode === 'match').map(({ resource }) => resource?.id);
      expect(matched).to.have.members(matches(ids));
      expect(total).to.equal(matched.length);
    },
    expectHidden: (reply) => {
      expect(reply.status).to.equal(200);
      const { total, entry } = bodyOf<Bundle>(reply);
      expect({ total, entry }).to.deep.equal({ total: 0, entry: undefined });
    },
  };
}

function read<T extends Resource>(
  name: string,
  reference: (ids: ExamIds) => string,
  check: (resource: T, sent: Sent) => void,
): Door {
  return {
    name,
    event: { type: 'rest', subtype: ['read'], action: 'R', touched: reference },
    ask: async (call) => await get(call, `/fhir/${reference(call.ids)}`, JSON_TYPE),
    expectShown: (reply, sent) => {
      expect(reply.status).to.equal(200);
      const resource = bodyOf<T>(reply);
      expect(`${resource.resourceType}/${resource.id}`).to.equal(reference(sent.ids));
      check(resource, sent);
    },
    expectHidden: isNotFound,
  };
}

function binary(
  name: string,
  type: string,
  id: (ids: ExamIds) => string,
  check: (bytes: Buffer, sent: Sent) => void,
): Door {
  return {
    name,
    event: { type: 'rest', subtype: ['read', 'ITI-68'], action: 'R', touched: (ids) => `Binary/${id(ids)}` },
    ask: async (call) => await get(call, `/fhir/Binary/${id(call.ids)}`, type),
    expectShown: (reply, sent) => {
      expect([reply.status, reply.headers.get('Content-Type')]).to.deep.equal([200, type]);
      check(reply.body, sent);
    },
    expectHidden: isNotFound,
  };
}

/** Expects the bytes of the manifest: those that its DocumentReference announced. */
export function expectManifest(bytes: Buffer, { manifest: { hash, size } }: Sent): void {
  expect({ hash: sha1Of(bytes), size: bytes.length }).to.deep.equal({ hash, size });
}

/** Expects the bytes of the report that was posted. */
export function expectReport(bytes: Buffer, { exam }: Sent): void {
  expect(bytes.equals(exam.pdf), 'the bytes of the report').to.equal(true);
}

function sha1Of(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('base64');
}

/** Nothing is told but that nothing is there. */
export function isNotFound(reply: Reply): void {
  expect(reply.status).to.equal(404);
  expect(bodyOf<OperationOutcome>(reply).issue.map(({ code }) => code)).to.deep.equal(['not-found']);
}

function isTheStudy({ identifier, numberOfInstances, subject }: ImagingStudy, { exam, ids }: Sent): void {
  expect(identifier?.map(({ value }) => value)).to.include(study(ids));
  expect(numberOfInstances).to.equal(exam.instances.length);
  expect(subject.reference).to.equal(`Patient/${ids.patient}`);
}

function isTheReport({ conclusion, identifier, subject }: DiagnosticReport, { exam, ids }: Sent): void {
  expect({ conclusion, identifier }).to.deep.equal({
    conclusion: exam.report.conclusion,
    identifier: exam.report.identifier,
  });
  expect(subject?.reference).to.equal(`Patient/${ids.patient}`);
}

function isTheManifest({ content, status }: DocumentReference, { manifest }: Sent): void {
  expect({ status, attachment: content[0]?.attachment }).to.deep.equal({ status: 'current', attachment: manifest });
}

function isTheDocument({ content, status }: DocumentReference, { exam }: Sent): void {
  const { hash, size, contentType } = content[0]?.attachment ?? {};
  expect(status).to.equal('current');
  expect({ hash, size, contentType }).to.deep.equal({
    hash: sha1Of(exam.pdf),
    size: exam.pdf.length,
    contentType: 'application/pdf',
  });
}

function bodyOf<T>({ body }: Reply): T {
  return JSON.parse(body.toString()) as T;
}
