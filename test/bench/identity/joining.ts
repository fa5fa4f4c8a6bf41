/** A person with thousands of items of whom it turns out that she is another one, and that she is not. */
import type { DiagnosticReport, Patient } from '@medplum/fhirtypes';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import { patientIdentifier, toPatient } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import { buildReportBundle } from '../../../fixtures/reports.ts';
import { reportTextOf } from '../../../fixtures/report-texts.ts';
import { eventually, type FhirCaller } from '../../support/clients/fhir-caller.ts';
import { establishmentCaller } from '../../support/demonstration.ts';
import { sendInstances, type SentInstance } from '../../hostile/kill/store-sender.ts';
import type { TestServer } from '../../support/server.ts';

/** Rows of her: a report or an exam is three, with its document and the bytes. `PASSERELLE_BENCH_ITEMS` changes it. */
export const ITEMS = Number(process.env['PASSERELLE_BENCH_ITEMS'] ?? 2_000);
const ROWS_OF_EACH = 3;
const QUIET_TRIES = 1_200;

const { helene } = PATIENTS;
const { strasbourg, nancy } = ESTABLISHMENTS;

/**
 * Who has the items knows no number yet, and is the later one of two: she moves. A share of her items (0 to 1) is exams
 * and their manifests, the rest reports. Resolves with her Patient's id.
 */
export async function fillJoining(server: TestServer, exams: number, items = ITEMS): Promise<string> {
  const first = await establishmentCaller(server, 'nancy');
  await accepted(first, 'POST', 'Patient', toPatient(helene, nancy));
  const author = await establishmentCaller(server, 'strasbourg');
  const location = await accepted(author, 'POST', 'Patient', withoutNational(toPatient(helene, strasbourg)));
  const id = location.split('/').at(-3) ?? '';
  const report = await reportOf(`Patient/${id}`);
  for (let at = 0; at < ((1 - exams) * items) / ROWS_OF_EACH; at += 1)
    await accepted(author, 'POST', 'DiagnosticReport', numbered(report, at));
  await sendInstances(server.dimse, strasbourg.aeTitle, imagesOf((exams * items) / ROWS_OF_EACH), (_image, status) => {
    if (status !== 0) throw new Error(`An image was answered ${status}`);
  });
  await quietServer(server);
  return id;
}

/** One image each of so many exams. */
function* imagesOf(exams: number): Iterable<SentInstance> {
  for (let at = 0; at < exams; at += 1)
    yield* aStudy({ key: `bench/join-${at}`, patient: helene, instances: 1 }).instances();
}

/** Her source says her national number, too: she is who is known elsewhere. */
export async function joinHer(author: FhirCaller): Promise<void> {
  await feed(author, toPatient(helene, strasbourg));
}

/** Her source says it no more: she is a person by herself again. */
export async function separateHer(author: FhirCaller): Promise<void> {
  await feed(author, withoutNational(toPatient(helene, strasbourg)));
}

async function feed(author: FhirCaller, patient: Patient): Promise<void> {
  const { system, value } = patientIdentifier(helene, strasbourg);
  await accepted(author, 'PUT', `Patient?identifier=${system}|${value}`, patient);
}

function withoutNational({ identifier = [], ...patient }: Patient): Patient {
  return { ...patient, identifier: identifier.filter(({ system }) => system !== helene.national.system) };
}

async function reportOf(patient: string): Promise<DiagnosticReport> {
  const study = aStudy({ key: 'bench/join', establishment: 'strasbourg', patient: helene, instances: 1 });
  const { entry = [] } = await buildReportBundle(study, reportTextOf('ct-thorax'));
  const found = entry.map(({ resource }) => resource).find((one) => one?.resourceType === 'DiagnosticReport');
  if (found?.resourceType !== 'DiagnosticReport') throw new Error('There is no report');
  const { basedOn: _order, ...report } = found;
  return { ...report, subject: { reference: patient } };
}

/** Reports of as many exams. */
function numbered(report: DiagnosticReport, at: number): DiagnosticReport {
  const numberedAs = (text: string): string => `${text}${at}`;
  return {
    ...report,
    identifier: report.identifier?.map((one) => ({ ...one, value: numberedAs(one.value ?? '') })) ?? [],
    imagingStudy:
      report.imagingStudy?.map((one) => ({
        ...one,
        identifier: { ...one.identifier, value: numberedAs(`${one.identifier?.value}.`) },
      })) ?? [],
  };
}

/**
 * Sends a resource; resolves with its location.
 * @throws {Error} - it was not accepted
 */
export async function accepted(caller: FhirCaller, method: string, path: string, resource: object): Promise<string> {
  const { status, headers, text } = await caller.send(method, path, resource);
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  return headers.get('location') ?? '';
}

type Ready = { readonly jobs: Readonly<Record<string, { readonly waiting: number; readonly running: number }>> };

/** Resolves when no job is at work or due, with the time of that. */
export async function quietServer({ url }: TestServer): Promise<number> {
  return await eventually(async () => {
    const { jobs } = (await (await fetch(`${url}/health/ready`)).json()) as Ready;
    return Object.values(jobs).every(({ waiting, running }) => waiting + running === 0) ? performance.now() : undefined;
  }, QUIET_TRIES);
}
