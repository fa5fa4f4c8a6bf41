/** The exam of the flow tests: a CT that DCMTK sends, its report, and the names by which doors know them. */
import { execFile } from 'node:child_process';
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bundle, DiagnosticReport } from '@medplum/fhirtypes';
import { demoStudies, type DemoInstance, type DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { buildReportBundle } from '../../../fixtures/reports.ts';
import { reportTextOf } from '../../../fixtures/report-texts.ts';
import { parseFileMeta } from '../../../profiles/dicom/file/file-meta.ts';
import type { TestServer } from '../../support/server.ts';

/** What was sent. */
export type Exam = {
  readonly study: DemoStudy;
  readonly instances: readonly DemoInstance[];
  /** SHA-256 of the data set of each instance, by SOP Instance UID. */
  readonly dataSets: ReadonlyMap<string, string>;
  readonly bundle: Bundle;
  readonly report: DiagnosticReport;
  readonly pdf: Buffer;
};

/** A document: DocumentReference, Binary (ids), uniqueId (OID in dotted form). */
export type DocumentIds = { readonly id: string; readonly binary: string; readonly uniqueId: string };

/** The names of an exam: what a requester could guess or have been told. */
export type ExamIds = {
  readonly patient: string;
  readonly patientNumber: string;
  readonly imagingStudy: string;
  readonly diagnosticReport: string;
  readonly reportNumber: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUIDs: readonly string[];
  readonly manifest: DocumentIds;
  readonly reportDocument: DocumentIds;
};

/** Draws the thorax CT of the demonstration region, or its first slices only, and writes its report. */
export async function makeExam(slices: number): Promise<Exam> {
  const study = demoStudies().find(({ key }) => key === 'ct-thorax');
  if (study === undefined) throw new Error('The demonstration has no thorax CT');
  const instances = [...takeFirst(study.instances(), slices)];
  const bundle = await buildReportBundle(study, reportTextOf(study.key));
  const report = bundle.entry
    ?.map(({ resource }) => resource)
    .find((resource) => resource?.resourceType === 'DiagnosticReport');
  if (report === undefined) throw new Error('The bundle has no report');
  const dataSets = new Map(instances.map(({ sopInstanceUID, bytes }) => [sopInstanceUID, dataSetDigest(bytes)]));
  return {
    study,
    instances,
    dataSets,
    bundle,
    report,
    pdf: Buffer.from(report.presentedForm?.[0]?.data ?? '', 'base64'),
  };
}

function* takeFirst<T>(all: Iterable<T>, count: number): Iterable<T> {
  let taken = 0;
  for (const one of all) {
    yield one;
    taken += 1;
    if (taken === count) return;
  }
}

/** SHA-256 of the data set of a Part 10 file, without preamble and file meta information. */
export function dataSetDigest(file: Uint8Array): string {
  return createHash('sha256')
    .update(file.subarray(parseFileMeta(file).dataSetOffset))
    .digest('hex');
}

/** Sends the instances as files by DCMTK's storescu, from the AE title of their establishment. */
export async function storescu(
  { instances, study }: Exam,
  { host, port, aeTitle }: TestServer['dimse'],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-exam-'));
  try {
    await Promise.all(instances.map(async ({ bytes }, at) => await writeFile(join(folder, `${at}.dcm`), bytes)));
    const args = ['-aet', study.establishment.aeTitle, '-aec', aeTitle, '+sd', host, String(port), folder];
    await promisify(execFile)('storescu', args, { env: { ...process.env, TCP_NODELAY: '1' } });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The names of an exam that is nowhere: each as long as the one it stands for. */
export function unknownIds(ids: ExamIds): ExamIds {
  const document = ({ uniqueId }: DocumentIds): DocumentIds => ({
    id: randomUUID(),
    binary: randomUUID(),
    uniqueId: otherDigits(uniqueId),
  });
  return {
    patient: randomUUID(),
    patientNumber: otherDigits(ids.patientNumber),
    imagingStudy: randomUUID(),
    diagnosticReport: randomUUID(),
    reportNumber: otherDigits(ids.reportNumber),
    studyInstanceUID: otherDigits(ids.studyInstanceUID),
    seriesInstanceUID: otherDigits(ids.seriesInstanceUID),
    sopInstanceUIDs: ids.sopInstanceUIDs.map(otherDigits),
    manifest: document(ids.manifest),
    reportDocument: document(ids.reportDocument),
  };
}

/** Other digits behind the first ten characters or, in shorter names, everywhere. */
function otherDigits(name: string): string {
  const kept = name.length > 20 ? 10 : 0;
  return name.slice(0, kept) + name.slice(kept).replaceAll(/\d/g, () => String(randomInt(1, 10)));
}

/** Takes the names of an exam out of a text, so that answers about two exams can be compared. */
export function withoutIds(text: string, ids: ExamIds): string {
  return namesOf(ids).reduce((rest, [name, value]) => rest.replaceAll(value, `{${name}}`), text);
}

/** Puts the names of another exam in the place of those of one: a copy of what tells of it, as long as it. */
export function withNamesOf(text: string, ids: ExamIds, others: ExamIds): string {
  return namesOf(others).reduce((rest, [name, value]) => rest.replaceAll(`{${name}}`, value), withoutIds(text, ids));
}

/** Every name with what it names, the longest first: one may be the beginning of another. */
function namesOf(ids: ExamIds): [name: string, value: string][] {
  const named = Object.entries(ids).flatMap(([name, value]): [string, string][] => {
    if (typeof value === 'string') return [[name, value]];
    return Object.entries(value as Record<string, string>).map(([part, one]) => [`${name}.${part}`, one]);
  });
  return named.toSorted(([, one], [, other]) => other.length - one.length);
}
