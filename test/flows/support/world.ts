/** One server, one exam, six persons: the world of the table, and what happens in it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { DiagnosticReport, DocumentReference, ImagingStudy, Parameters, Patient } from '@medplum/fhirtypes';
import { demoConsent } from '../../../fixtures/consent.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import { patientIdentifier } from '../../../fixtures/patients.ts';
import { clientToken, signIn, signInOnPages } from '../../../fixtures/sign-in.ts';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { ROOT } from '../../support/house/source-files.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import type { Call, Sent } from './door.ts';
import { makeExam, storescu, unknownIds, type DocumentIds, type Exam, type ExamIds } from './exam.ts';
import { find, send, type Access } from './fhir.ts';
import { PEOPLE, PERSON_KEYS, SECOND_STRANGER, type Person, type PersonKey } from './people.ts';
import { openTrail, type TrailReader } from './trail.ts';
import { makeIssuer, type Issuer } from './xua.ts';

/** The world. */
export type World = Sent & {
  readonly server: TestServer;
  /** Names of an exam that is nowhere. */
  readonly unknown: ExamIds;
  readonly trail: TrailReader;
  readonly issuer: Issuer;
  readonly tokens: Map<PersonKey, string>;
  /** Cookie headers of those who are persons. */
  readonly sessions: Map<PersonKey, string>;
  readonly folder: string;
  /** Envelopes of every SOAP answer, to be validated. */
  readonly envelopes: string[];
  /** Viewings whose first request had its event, and that were not refused since. */
  readonly viewings: Set<string>;
  close(): Promise<void>;
};

const { strasbourg } = ESTABLISHMENTS;
const CLOSES_WITHIN_MS = 60_000;

/** Starts the server on a store, sends the exam, declares the correspondent, signs everybody in. */
export async function openWorld(options: {
  readonly store: string;
  readonly slices: number;
  /** The checkout whose server is started. */
  readonly root?: string;
}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-flow-'));
  const issuer = makeIssuer();
  const closing: (() => Promise<unknown>)[] = [async () => await rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed()) await step();
  };
  try {
    const server = await startServer({
      store: options.store,
      env: { REGION: await writeRegion(folder, issuer, options.root) },
      ...(options.root === undefined ? {} : { root: options.root }),
    });
    closing.push(async () => await server.stop());
    const exam = await makeExam(options.slices);
    const author = { url: server.url, token: await clientToken({ url: server.url, client: strasbourg.clientId }) };
    const published = await publish(server, author, exam);
    const trail = await openTrail(options.store, server.dataDir);
    closing.push(trail.close);
    // A former commit may have no pages to sign in on.
    const { tokens, sessions } = await signAllIn(server.url, options.root === undefined);
    return {
      server,
      exam,
      ...published,
      unknown: unknownIds(published.ids),
      trail,
      issuer,
      tokens,
      sessions,
      folder,
      envelopes: [],
      viewings: new Set(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The demonstration region of a checkout, with an issuer of assertions and one person more. */
export async function writeRegion(folder: string, { name, certificate }: Issuer, root = ROOT): Promise<string> {
  const region = JSON.parse(await readFile(join(root, 'fixtures/region/region.json'), 'utf8')) as { persons: object[] };
  const path = join(folder, 'region.json');
  const extended = {
    ...region,
    persons: [...region.persons, SECOND_STRANGER],
    assertionIssuers: [{ issuer: name, certificate }],
  };
  await writeFile(path, JSON.stringify(extended));
  return path;
}

type Published = Pick<Sent, 'ids' | 'manifest'>;

/**
 * Sends the images to a server and the report as an author, declares the correspondent, and waits until the study is
 * closed.
 */
export async function publish(server: TestServer, author: Access, exam: Exam): Promise<Published> {
  await storescu(exam, server.dimse);
  await send(author, '/', exam.bundle);
  const { system, value } = patientIdentifier(PATIENTS.helene, strasbourg);
  const patient = await theOne<Patient>(author, `Patient?identifier=${system}|${value}`);
  await send(author, '/Consent', demoConsent(`Patient/${patient.id}`));
  return await publishedAs(author, exam, { patient: patient.id ?? '', patientNumber: value });
}

async function publishedAs(
  author: Access,
  { study, report, instances }: Exam,
  known: Pick<ExamIds, 'patient' | 'patientNumber'>,
): Promise<Published> {
  const uid = `urn:oid:${study.studyInstanceUID}`;
  const [identifier] = report.identifier ?? [];
  const documents = await closedDocuments(author, uid);
  const imagingStudy = await theOne<ImagingStudy>(author, `ImagingStudy?identifier=${uid}`);
  const diagnosticReport = await theOne<DiagnosticReport>(
    author,
    `DiagnosticReport?identifier=${identifier?.system}|${identifier?.value}`,
  );
  const manifest = documentOf(documents, MEDIA_TYPE.dicom);
  const ids: ExamIds = {
    ...known,
    imagingStudy: imagingStudy.id ?? '',
    diagnosticReport: diagnosticReport.id ?? '',
    reportNumber: identifier?.value ?? '',
    studyInstanceUID: study.studyInstanceUID,
    seriesInstanceUID: instances[0]?.seriesInstanceUID ?? '',
    sopInstanceUIDs: instances.map(({ sopInstanceUID }) => sopInstanceUID),
    manifest: documentIds(manifest),
    reportDocument: documentIds(documentOf(documents, MEDIA_TYPE.pdf)),
  };
  return { ids, manifest: manifest.content[0]?.attachment ?? {} };
}

/** Waits until the study is closed: its manifest and its report are current documents then. */
async function closedDocuments(author: Access, uid: string): Promise<DocumentReference[]> {
  for (const deadline = Date.now() + CLOSES_WITHIN_MS; ; await pause(100)) {
    const found = await find<DocumentReference>(author, `DocumentReference?related:identifier=${uid}&status=current`);
    if (found.length === 2) return found;
    if (Date.now() > deadline) throw new Error(`The study is not closed: ${found.length} current documents`);
  }
}

function documentOf(documents: readonly DocumentReference[], contentType: string): DocumentReference {
  const document = documents.find(({ content }) => content[0]?.attachment.contentType === contentType);
  if (document === undefined) throw new Error(`No document is ${contentType}`);
  return document;
}

function documentIds({ id = '', content, masterIdentifier }: DocumentReference): DocumentIds {
  return {
    id,
    binary: content[0]?.attachment.url?.split('/').at(-1) ?? '',
    uniqueId: masterIdentifier?.value?.replace('urn:oid:', '') ?? '',
  };
}

async function theOne<T extends Patient | ImagingStudy | DiagnosticReport>(author: Access, query: string): Promise<T> {
  const [found, ...others] = await find<T>(author, query);
  if (found === undefined || others.length > 0) throw new Error(`Not one match: ${query}`);
  return found;
}

async function signAllIn(url: string, hasPages: boolean): Promise<Pick<World, 'tokens' | 'sessions'>> {
  const [tokens, sessions] = [new Map<PersonKey, string>(), new Map<PersonKey, string>()];
  for (const key of PERSON_KEYS) {
    const { client, login: person = '' }: Person = PEOPLE[key];
    tokens.set(key, client === undefined ? await signIn({ url, person }) : await clientToken({ url, client }));
    if (client === undefined && hasPages) sessions.set(key, await signInOnPages({ url, person }));
  }
  return { tokens, sessions };
}

/** Lets everybody in again: tokens last for minutes. Sessions of pages stay. */
export async function renewTokens({ server, tokens }: World): Promise<void> {
  for (const [key, token] of (await signAllIn(server.url, false)).tokens) tokens.set(key, token);
}

/** How a person asks at the server's doors, under a request id of its own. */
export function callOf({ server, tokens, sessions, ids }: World, person: PersonKey): Call {
  return {
    url: server.url,
    token: tokens.get(person) ?? '',
    session: sessions.get(person) ?? '',
    requestId: `urn:uuid:${randomUUID()}`,
    ids,
  };
}

/** The second stranger signs in again and declares an emergency. */
export async function breakGlass(world: World): Promise<string> {
  const { url } = world.server;
  world.tokens.set(
    'emergency',
    await signIn({ url, person: SECOND_STRANGER.login, authTime: Math.floor(Date.now() / 1000) }),
  );
  const body: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'identifier', valueIdentifier: patientIdentifier(PATIENTS.helene, strasbourg) },
      { name: 'reason', valueCode: 'ETREAT' },
      { name: 'justification', valueString: 'Patiente inconsciente aux urgences, scanner antérieur nécessaire.' },
    ],
  };
  return await send(callOf(world, 'emergency'), '/Patient/$break-glass', body);
}

/** The patient withdraws her consent. */
export async function withdraw(world: World): Promise<string> {
  return await send(callOf(world, 'patient'), '/Patient/$withdraw');
}

/** The patient asks for the erasure of her record. */
export async function requestErasure(world: World): Promise<string> {
  return await send(callOf(world, 'patient'), '/Patient/$request-erasure');
}

/** The patient takes that back. */
export async function cancelErasure(world: World): Promise<string> {
  return await send(callOf(world, 'patient'), '/Patient/$cancel-erasure');
}

/** The patient gives her consent again. */
export async function reconsent(world: World): Promise<string> {
  return await send(callOf(world, 'patient'), '/Patient/$reconsent');
}
