/**
 * The world of the matrix: a server, a person and her exam for each case, and everybody who holds a relation to her.
 * Patients and the one exam that others are copies of come by doors; copies, labels, rights and states as rows, while
 * the server is down.
 */
import type { Patient } from '@medplum/fhirtypes';
import { clientToken, signIn, signInOnPages } from '../../../fixtures/sign-in.ts';

import { personKey, type PersonKey } from '../../../server/access/requester.ts';
import { joinParts } from '../../../server/flows/write/plan-parts.ts';
import type { RecordStore } from '../../../server/ports/record-store.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { openFileImages } from '../../../server/stores/files/image-store.ts';
import { openMongoStores } from '../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';
import { makeRegionFile } from '../../support/region-file.ts';
import { runCommand } from '../../support/command.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { SYSTEM } from '../../support/plans.ts';
import { commitPlan } from '../../support/warrants.ts';
import { get, type Sent } from '../support/door.ts';
import { makeExam, unknownIds, type ExamIds } from '../support/exam.ts';
import { publish } from '../support/world.ts';
import { copyExam, labelFor, readTemplate, type Template, type Writing } from './exam-copies.ts';
import { ASKING_RELATIONS, AUTHOR, HOLDERS, loginOf, numberOf, type AskingRelation } from './holders.ts';
import type { Case } from './matrix.ts';
import { addPeople, guardianLogin, patientLogin } from './matrix-region.ts';

/** A case, whose exam it is, and what its doors show of it. `number` counts cases from 0 on. */
export type MatrixExam = Sent & { readonly number: number; readonly about: Case };

/** How somebody asks. A client has no session. */
export type Signed = { readonly token: string; readonly session: string };

/** Who signs in by the account of the patient of an exam. */
export type Speaker = 'self' | 'representative';

/** The world. `signed` has everybody but the patients and who represents each, who sign in for one exam. */
export type MatrixWorld = {
  readonly server: TestServer;
  readonly exams: readonly MatrixExam[];
  /** Names of an exam that is nowhere. */
  readonly unknown: ExamIds;
  readonly signed: ReadonlyMap<AskingRelation, Signed>;
  signSpeakerIn(exam: MatrixExam, relation: Speaker): Promise<Signed>;
  /** Loads the region file without the settings of emergencies. */
  unsetEmergencies(): Promise<void>;
  close(): Promise<void>;
};

/** Builds the world on a store (`sqlite` or the URI of a MongoDB database) and starts its server. */
export async function openMatrix(store: string, cases: readonly Case[], dataDir: string): Promise<MatrixWorld> {
  const region = await makeRegionFile();
  const servers: TestServer[] = [];
  const start = async (): Promise<TestServer> => {
    const server = await startServer({ store, dataDir, env: { REGION: region.path } });
    servers.push(server);
    return server;
  };
  const close = async (): Promise<void> => {
    for (const server of servers) await server.stop();
    await region.remove();
  };
  try {
    await region.write((edited) => addPeople(edited, cases.length));
    const first = await start();
    const { sent, manifestBytes, patients } = await fillByDoors(first, cases.length);
    await first.stop();
    const exams = await fillByRows(store, dataDir, { sent, manifestBytes, patients, cases });
    const server = await start();
    return {
      server,
      exams,
      unknown: unknownIds(sent.ids),
      signed: await signHoldersIn(server),
      signSpeakerIn: async ({ number }, relation) =>
        await signPersonIn(server, relation === 'self' ? patientLogin(number) : guardianLogin(number)),
      unsetEmergencies: async () => {
        await region.write((edited) => {
          addPeople(edited, cases.length);
          delete edited.breakGlass;
        });
        const done = await runCommand('region', ['reload'], { store, dataDir, env: { REGION: region.path } });
        if (done.code !== 0) throw new Error(done.stderr);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type ByDoors = { readonly sent: Sent; readonly manifestBytes: Buffer; readonly patients: readonly string[] };

/** Publishes the exam, and feeds the patients of the matrix; gives the ids of their Patients. */
async function fillByDoors(server: TestServer, patients: number): Promise<ByDoors> {
  const author = { url: server.url, token: await clientToken({ url: server.url, client: AUTHOR.clientId }) };
  const exam = await makeExam(1);
  const published = await publish(server, author, exam);
  const call = { ...author, requestId: 'urn:uuid:00000000-0000-4000-8000-000000000000', ids: published.ids };
  const { body } = await get(call, `/fhir/Binary/${published.ids.manifest.binary}`, 'application/dicom');
  const ids: string[] = [];
  for (let at = 0; at < patients; at += 1) ids.push(await feedPatient(author, at));
  return { sent: { exam, ...published }, manifestBytes: body, patients: ids };
}

/** Nobody is like another: a desk would be asked whether two of them are one. */
async function feedPatient(
  { url, token }: { readonly url: string; readonly token: string },
  at: number,
): Promise<string> {
  const { system, value } = numberOf(at);
  const born = new Date(Date.UTC(1930, 0, 1 + at * 83));
  const patient: Patient = {
    resourceType: 'Patient',
    identifier: [{ system, value }],
    name: [{ family: `Matrice ${at}`, given: ['Cas'] }],
    gender: at % 2 === 0 ? 'female' : 'male',
    birthDate: born.toISOString().slice(0, 10),
  };
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' };
  const path = `${url}/fhir/Patient?identifier=${system}|${value}`;
  const answer = await fetch(path, { method: 'PUT', headers, body: JSON.stringify(patient) });
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`The Patient was not taken: ${answer.status} ${text}`);
  return /Patient\/([^/]+)/.exec(answer.headers.get('Location') ?? '')?.[1] ?? '';
}

async function fillByRows(
  store: string,
  dataDir: string,
  { sent, manifestBytes, patients, cases }: ByDoors & { readonly cases: readonly Case[] },
): Promise<readonly MatrixExam[]> {
  const stores = store === 'sqlite' ? await openSqliteStores({ dataDir }) : await openMongoStores({ uri: store });
  const images = await openFileImages({ dataDir });
  const { indexer } = await loadDefinitions();
  try {
    const template = await readTemplate(stores.records, sent, manifestBytes);
    const exams: MatrixExam[] = [];
    for (const [number, about] of cases.entries()) {
      const patient = patients[number] ?? '';
      const made = await fileCase({ records: stores.records, indexer, images }, template, { number, about, patient });
      exams.push({ ...made, number, about });
    }
    return exams;
  } finally {
    await images.close();
    await stores.close();
  }
}

type Filing = Writing & { readonly records: RecordStore };
type Filed = { readonly number: number; readonly about: Case; readonly patient: string };

/** An account is turned off by its own door later: its patient signs in before. */
async function fileCase({ records, ...writing }: Filing, template: Template, filed: Filed): Promise<Sent> {
  const { number, about, patient } = filed;
  const person = await personOf(records, patient);
  const { parts, sent } = await copyExam(
    writing,
    template,
    { person, patient, patientNumber: numberOf(number).value },
    about,
  );
  const subject = { number, person, patient, label: labelFor(about.label) };
  const giving = ASKING_RELATIONS.flatMap((relation) => HOLDERS[relation].giving(subject));
  const switches = about.state.filter((name) => name !== ACCOUNT_OFF).map((name) => [name, true]);
  const plan = joinParts(parts, {
    puts: giving.map((put) => ({ ...put, subject: `Patient/${patient}` })),
    states: switches.length === 0 ? [] : [{ person, change: Object.fromEntries(switches) as object }],
  });
  await commitPlan(records, plan);
  return sent;
}

/** The switch that closes an account, and nothing else. */
export const ACCOUNT_OFF = 'accountOff';

async function personOf(records: RecordStore, id: string): Promise<PersonKey> {
  const row = await records.peek(SYSTEM, { kind: 'resource', type: 'Patient', id });
  if (row?.person === undefined) throw new Error(`No Patient/${id} stands`);
  return personKey(row.person);
}

async function signHoldersIn(server: TestServer): Promise<ReadonlyMap<AskingRelation, Signed>> {
  const signed = new Map<AskingRelation, Signed>();
  for (const relation of ASKING_RELATIONS) {
    const { signsIn } = HOLDERS[relation];
    if (signsIn.as === 'patient' || signsIn.as === 'representative') continue;
    if (signsIn.as === 'client')
      signed.set(relation, { token: await clientToken({ url: server.url, client: signsIn.client }), session: '' });
    else signed.set(relation, await signPersonIn(server, loginOf(relation)));
  }
  return signed;
}

async function signPersonIn({ url }: TestServer, person: string): Promise<Signed> {
  return { token: await signIn({ url, person }), session: await signInOnPages({ url, person }) };
}
