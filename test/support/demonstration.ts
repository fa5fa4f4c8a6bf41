/**
 * A running server with a small part of the demonstration region: Hélène, whom two establishments know, with a study
 * and a report at each; Gaëtan, with a study and a report in Strasbourg; Josée, whom Luxembourg alone knows, and
 * nothing of hers; a declared correspondent of Hélène.
 */
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { demoConsent } from '../../fixtures/consent.ts';
import { patientIdentifier, toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import type { EstablishmentKey } from '../../fixtures/people.ts';
import { buildReportBundle } from '../../fixtures/reports.ts';
import { reportTextOf } from '../../fixtures/report-texts.ts';
import { clientToken, signIn } from '../../fixtures/sign-in.ts';
import { expect } from 'chai';
import type { ImagingStudy, Patient } from '@medplum/fhirtypes';
import { oidUri } from '../../profiles/codes.ts';
import { eventually, fhirCaller, type FhirCaller } from './clients/fhir-caller.ts';
import { sendStudy } from './clients/send-study.ts';
import { startServer, type ServerOptions, type TestServer } from './server.ts';

/** The server, its callers and what it holds. */
export type Demonstration = {
  readonly server: TestServer;
  readonly strasbourg: FhirCaller;
  readonly nancy: FhirCaller;
  readonly luxembourg: FhirCaller;
  /** Hélène, Dr Brandessart whom she declared, and a professional whom nobody declared. */
  readonly patient: FhirCaller;
  readonly declared: FhirCaller;
  readonly stranger: FhirCaller;
  readonly studies: { readonly helene: DemoStudy; readonly heleneNancy: DemoStudy; readonly gaetan: DemoStudy };
  /** The ids of the Patients, one for each person. */
  readonly patients: { readonly helene: string; readonly gaetan: string; readonly josee: string };
};

/** Starts and fills the server; `server.stop()` ends it. */
export async function startDemonstration(options: ServerOptions = {}): Promise<Demonstration> {
  const server = await startServer(options);
  try {
    return await fillDemonstration(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** A caller that is an establishment's client. */
export async function establishmentCaller(
  server: TestServer,
  key: EstablishmentKey,
  scope?: string,
): Promise<FhirCaller> {
  const token = await clientToken({
    url: server.url,
    client: ESTABLISHMENTS[key].clientId,
    ...(scope === undefined ? {} : { scope }),
  });
  return fhirCaller(server.url, token);
}

/** A caller that is a person, signed in at the demonstration's application. */
export async function personCaller(
  server: TestServer,
  person: string,
  options: { readonly authTime?: number; readonly scope?: string } = {},
): Promise<FhirCaller> {
  return fhirCaller(server.url, await signIn({ url: server.url, person, ...options }));
}

/** The search of a study by its UID. */
export function byStudyUid(study: DemoStudy): string {
  return `identifier=urn:dicom:uid|${oidUri(study.studyInstanceUID)}`;
}

/** Fills a server that runs. */
export async function fillDemonstration(server: TestServer): Promise<Demonstration> {
  const strasbourg = await establishmentCaller(server, 'strasbourg');
  const nancy = await establishmentCaller(server, 'nancy');
  const luxembourg = await establishmentCaller(server, 'luxembourg');
  const studies = {
    helene: aStudy({ key: 'flow/helene', patient: PATIENTS.helene, started: '2026-01-15T09:30:00' }),
    heleneNancy: aStudy({
      key: 'flow/helene-nancy',
      patient: PATIENTS.helene,
      establishment: 'nancy',
      modality: 'CR',
      started: '2025-05-20T11:00:00',
    }),
    gaetan: aStudy({ key: 'flow/gaetan', patient: PATIENTS.gaetan, modality: 'MR', started: '2026-02-03T14:00:00' }),
  };
  await publish(server, strasbourg, studies.helene);
  await publish(server, nancy, studies.heleneNancy);
  await publish(server, strasbourg, studies.gaetan);
  const consent = await strasbourg.send('POST', '', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ resource: demoConsent(), request: { method: 'POST', url: 'Consent' } }],
  });
  expect(consent.status, consent.text).to.equal(200);
  return {
    server,
    strasbourg,
    nancy,
    luxembourg,
    patient: await personCaller(server, 'demo-patient'),
    declared: await personCaller(server, 'demo-declared'),
    stranger: await personCaller(server, 'demo-stranger'),
    studies,
    patients: {
      helene: (await strasbourg.findOne<Patient>('Patient?family=Valbr%C3%A9mont')).id,
      gaetan: (await strasbourg.findOne<Patient>('Patient?family=Fr%C3%A9minval')).id,
      josee: await feedJosee(luxembourg),
    },
  };
}

/** Exams, reports and documents that professionals who read Hélène's record see: her correspondent, and Nancy. */
export async function rowsOfReaders({ declared, nancy }: Demonstration): Promise<number> {
  let rows = 0;
  for (const caller of [declared, nancy])
    for (const type of ['ImagingStudy', 'DiagnosticReport', 'DocumentReference'])
      rows += (await caller.find(type)).length;
  return rows;
}

/** Asserts that they see nothing, and that she sees both exams. */
export async function expectUnshared(region: Demonstration, why = ''): Promise<void> {
  expect(await rowsOfReaders(region), why).to.equal(0);
  expect((await region.patient.find('ImagingStudy')).length, `the patient herself ${why}`).to.equal(2);
}

async function feedJosee(luxembourg: FhirCaller): Promise<string> {
  const { system, value } = patientIdentifier(PATIENTS.josee, ESTABLISHMENTS.luxembourg);
  const path = `Patient?identifier=${system}|${value}`;
  const fed = await luxembourg.send('PUT', path, toPatient(PATIENTS.josee, ESTABLISHMENTS.luxembourg));
  expect(fed.status, fed.text).to.equal(201);
  return (await luxembourg.findOne<Patient>(path)).id;
}

/** Sends images and report, and waits until the study is closed. */
async function publish(server: TestServer, establishment: FhirCaller, study: DemoStudy): Promise<void> {
  const statuses = await sendStudy(server, study);
  expect(statuses, 'C-STORE').to.deep.equal(Array.from({ length: study.instanceCount }, () => 0));
  const report = await establishment.send('POST', '', await buildReportBundle(study, reportTextOf('ct-thorax')));
  expect(report.status, report.text).to.equal(200);
  await eventually(async () => {
    const [found] = await establishment.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}&status=available`);
    return found;
  });
}
