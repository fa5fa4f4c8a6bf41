/** What must stand after a restart, asked of the server as a client would and of its files. */
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Binary, Bundle, DiagnosticReport, DocumentReference, ImagingStudy, Resource } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { clientToken } from '../../../fixtures/sign-in.ts';
import { parseContentType } from '../../../ihe/mime/content-type.ts';
import { splitMultipart } from '../../../ihe/soap/multipart.ts';
import { IDENTIFIER_SYSTEM, MEDIA_TYPE } from '../../../profiles/codes.ts';
import type { TestServer } from '../../support/server.ts';
import { pendingWork, referredBlobs, rowsOfStudy, storedBlobs, studiesOfTrail, verifyTrail } from './data-folder.ts';
import type { Ledger, SentReport, SentStudy } from './ledger.ts';
import type { KillCounts } from './rounds.ts';
import { dataSetOf, sendInstances } from './store-sender.ts';

const ESTABLISHMENT = ESTABLISHMENTS.strasbourg;
const PATIENCE_MS = 20_000;

/** Checks all that a round sent, and sends again what was acknowledged; returns what it counted. */
export async function checkRound(server: TestServer, ledger: Ledger): Promise<Partial<KillCounts>> {
  const { rows, stood } = await checkStanding(server, ledger);
  await resend(server, ledger);
  for (const [sent, uids] of rows) expect(rowsOfStudy(server.dataDir, sent.study.studyInstanceUID)).to.have.members(uids);
  await checkBlobs(server);
  return countsOf(ledger, rows, stood);
}

/** What stands of a round: instances by study, and which reports. */
type Standing = { readonly rows: ReadonlyMap<SentStudy, readonly string[]>; readonly stood: readonly boolean[] };

/** Checks that what a round sent stands whole, once, with no file too many and its trail. */
export async function checkStanding(server: TestServer, ledger: Ledger): Promise<Standing> {
  const asking = { server, token: await clientToken({ url: server.url, client: ESTABLISHMENT.clientId }) };
  expect(ledger.refusals, 'answers that were neither success nor silence').to.deep.equal([]);
  await agendaDone(server);
  const rows = new Map(ledger.studies.map((sent) => [sent, rowsOfStudy(server.dataDir, sent.study.studyInstanceUID)]));
  await ofEach([...rows], async ([sent, uids]) => await checkStudy(asking, sent, uids));
  const stood = await ofEach(ledger.reports, async (report) => await checkReport(asking, report));
  await checkBlobs(server);
  checkTrail(server, rows);
  return { rows, stood };
}

/** Requests that are under way at one time. */
const ASKED_AT_ONCE = 6;

/** Does work for each, some at a time; gives the results in order. */
async function ofEach<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += ASKED_AT_ONCE) results.push(...(await Promise.all(all.slice(at, at + ASKED_AT_ONCE).map(work))));
  return results;
}

type Asking = { readonly server: TestServer; readonly token: string };

/** The rows are those acknowledged and maybe more that were sent; the bytes and the ImagingStudy say the same. */
async function checkStudy(asking: Asking, { study, instances, acknowledged }: SentStudy, rows: readonly string[]): Promise<void> {
  const name = `study ${study.key}`;
  expect(rows, name).to.include.members([...acknowledged]);
  expect(instances.map(({ sopInstanceUID }) => sopInstanceUID), name).to.include.members([...rows]);
  expect(new Set(rows).size, name).to.equal(rows.length);
  if (rows.length === 0) return;
  const sent = instances.filter(({ sopInstanceUID }) => rows.includes(sopInstanceUID)).map(({ bytes }) => digestOf(dataSetOf(bytes)));
  const retrieved = await retrieveStudy(asking, study.studyInstanceUID);
  expect(retrieved.map((content) => digestOf(dataSetOf(content))), name).to.have.members(sent);
  const found = await find<ImagingStudy>(asking, 'ImagingStudy', `${IDENTIFIER_SYSTEM.dicomUid}|urn:oid:${study.studyInstanceUID}`);
  expect(found.map(({ numberOfInstances }) => numberOfInstances), name).to.deep.equal([rows.length]);
}

async function retrieveStudy({ server, token }: Asking, studyInstanceUID: string): Promise<Buffer[]> {
  const headers = { Authorization: `Bearer ${token}`, Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' };
  const response = await fetch(`${server.url}/dicom-web/studies/${studyInstanceUID}`, { headers });
  expect(response.status).to.equal(200);
  const boundary = parseContentType(response.headers.get('Content-Type') ?? '').parameters.get('boundary') ?? '';
  return splitMultipart(Buffer.from(await response.arrayBuffer()), boundary).map(({ content }) => content);
}

/** What was acknowledged is acknowledged again, and nothing is doubled by it. */
async function resend(server: TestServer, { studies }: Ledger): Promise<void> {
  const again = studies.flatMap(({ instances, acknowledged }) => instances.filter(({ sopInstanceUID }) => acknowledged.has(sopInstanceUID)));
  const statuses: number[] = [];
  await sendInstances(server.dimse, ESTABLISHMENT.aeTitle, again, (_, status) => void statuses.push(status));
  expect(statuses).to.deep.equal(again.map(() => 0));
}

/** A report stands whole, with its document and the DocumentReference of it, or not at all. */
async function checkReport(asking: Asking, { identifier, pdf, acknowledged }: SentReport): Promise<boolean> {
  const reports = await find<DiagnosticReport>(asking, 'DiagnosticReport', identifier);
  expect(reports.length, identifier).to.be.within(acknowledged ? 1 : 0, 1);
  const [report] = reports;
  if (report === undefined) return false;
  const path = new URL(report.presentedForm?.[0]?.url ?? '').pathname;
  const binary = await readJson<Binary>(asking, path);
  expect(Buffer.from(binary.data ?? '', 'base64').equals(pdf), identifier).to.equal(true);
  const documents = await readJson<Bundle<DocumentReference>>(asking, `/fhir/DocumentReference?related=DiagnosticReport/${report.id}`);
  expect(documents.entry?.length, identifier).to.equal(1);
  return true;
}

async function find<T extends Resource>(asking: Asking, type: T['resourceType'], identifier: string): Promise<T[]> {
  const bundle = await readJson<Bundle<T>>(asking, `/fhir/${type}?identifier=${encodeURIComponent(identifier)}`);
  return (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
}

async function readJson<T>({ server, token }: Asking, path: string): Promise<T> {
  const response = await fetch(`${server.url}${path}`, { headers: { Authorization: `Bearer ${token}`, Accept: MEDIA_TYPE.fhirJson } });
  expect(response.status, path).to.equal(200);
  return (await response.json()) as T;
}

/** Every blob that is referred to is there, and no other: what the kill left was swept at the start. */
async function checkBlobs(server: TestServer): Promise<void> {
  const differing = async (): Promise<string[]> => {
    const stored = new Set(await storedBlobs(server.dataDir));
    const referred = new Set(referredBlobs(server.dataDir));
    return [...[...stored].filter((name) => !referred.has(name)), ...[...referred].filter((name) => !stored.has(name))];
  };
  // Studies are being closed meanwhile: a manifest is a file a moment before it has its row.
  let left: readonly string[] = [];
  await eventually(async () => (left = await differing()).length === 0);
  expect(left).to.deep.equal([]);
}

function checkTrail({ dataDir }: TestServer, rows: Standing['rows']): void {
  expect(verifyTrail(dataDir)).to.deep.include({ whole: true });
  const told = studiesOfTrail(dataDir);
  for (const [{ study }, uids] of rows) {
    if (uids.length > 0) expect(told.has(study.studyInstanceUID), study.key).to.equal(true);
  }
}

async function agendaDone(server: TestServer): Promise<void> {
  // One look answers both: between two, the next bucket of refreshes may fall due.
  let left = pendingWork(server.dataDir, Date.now());
  await eventually(async () => {
    left = pendingWork(server.dataDir, Date.now());
    return left.due === 0 && left.outbox === 0;
  });
  expect(left).to.deep.equal({ due: 0, outbox: 0 });
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end && !(await holds())) await wait(50);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function countsOf({ studies, reports }: Ledger, rows: ReadonlyMap<SentStudy, readonly string[]>, stood: readonly boolean[]): Partial<KillCounts> {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const acknowledged = sum(studies.map((sent) => sent.acknowledged.size));
  const reportsAcknowledged = reports.filter((report) => report.acknowledged).length;
  return {
    instancesSent: sum(studies.map(({ instances }) => instances.length)),
    instancesAcknowledged: acknowledged,
    instancesUnheard: sum([...rows.values()].map((uids) => uids.length)) - acknowledged,
    reportsSent: reports.length,
    reportsAcknowledged,
    reportsUnheard: stood.filter(Boolean).length - reportsAcknowledged,
  };
}
