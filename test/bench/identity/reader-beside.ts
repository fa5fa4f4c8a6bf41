/**
 * Somebody reads another patient while a person with thousands of items joins and leaves another one and all that is
 * derived follows: how long the main thread is taken at a time, which is what a reader waits for, and how long reads
 * take, beside the same reads alone.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { patientIdentifier, toPatient } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import { establishmentCaller } from '../../support/demonstration.ts';
import { startMongoPeer, whyNoMongoPeer } from '../../support/peers/mongodb-peer.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import type { ReaderStart } from '../support/fhir-reader.ts';
import { readDuring } from '../support/fhir-reads.ts';
import { msOf, quantileOf, type Row } from '../support/figures.ts';
import { ROUNDS } from '../support/rounds.ts';
import { accepted, fillJoining, ITEMS, joinHer, quietServer, separateHer } from './joining.ts';
import type { Turn } from './main-turns.ts';

const PER_SECOND = 10;
/** Of her items. */
const EXAMS = 0.5;
const ALONE_MS = 8_000;
const WARMING_MS = 4_000;
/** What the specification allows a reader to wait for a join or a separation, milliseconds of processor. */
const BUDGET_MS = 20;
/** The server of MongoDB's protocol that is installed with the tests takes minutes to file more. */
const MONGODB_ITEMS = Number(process.env['PASSERELLE_BENCH_MONGODB_ITEMS'] ?? Math.min(300, ITEMS));

const { josee } = PATIENTS;
const { luxembourg } = ESTABLISHMENTS;

/** Measures on both stores; without a server of MongoDB it says so. */
export async function measureReaderBeside(): Promise<readonly Row[]> {
  return [...(await measureOn('SQLite', 'sqlite', ITEMS)), ...(await measureOnMongo())];
}

async function measureOnMongo(): Promise<readonly Row[]> {
  const peer = await startMongoPeer();
  if (peer === undefined) return [{ name: 'skipped', figures: { missing: whyNoMongoPeer() ?? '' } }];
  try {
    return await measureOn('MongoDB', peer.freshUri(), MONGODB_ITEMS);
  } finally {
    await peer.stop();
  }
}

/** What was measured in a span of time: reads, milliseconds each, and turns of the main thread. */
type Span = { readonly times: readonly number[]; readonly failed: number; readonly turns: readonly number[] };

async function measureOn(name: string, store: string, items: number): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-turns-'));
  const file = join(folder, 'turns');
  const preload = fileURLToPath(new URL('main-turns.ts', import.meta.url));
  const under = ['/usr/bin/env', `TURNS=${file}`, `NODE_OPTIONS=--import=${preload}`];
  const server = await startServer({ store, under });
  try {
    await fillJoining(server, EXAMS, items);
    const paths = await pathsOfAnother(server);
    const spanOf = async (work: () => Promise<void>): Promise<Span> => {
      const began = Date.now();
      const { times, failed } = await readDuring(await readsOf(server, paths), work);
      return { times, failed, turns: await turnsBetween(file, began, Date.now()) };
    };
    await spanOf(async () => await pause(WARMING_MS));
    const alone = await spanOf(async () => await pause(ALONE_MS));
    const settled = async (change: typeof joinHer) => async (): Promise<void> => {
      await change(await establishmentCaller(server, 'strasbourg'));
      await quietServer(server);
    };
    const spans: { joined: Span; separated: Span }[] = [];
    for (let round = 0; round < ROUNDS; round += 1)
      spans.push({ joined: await spanOf(await settled(joinHer)), separated: await spanOf(await settled(separateHer)) });
    return [
      rowOf(`a reader, alone (${name})`, [alone]),
      rowOf(
        `beside a person of ${items} rows who joins (${name})`,
        spans.map(({ joined }) => joined),
      ),
      rowOf(
        `beside a person of ${items} rows who leaves (${name})`,
        spans.map(({ separated }) => separated),
      ),
    ];
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** How another patient is read, and searched for. */
async function pathsOfAnother(server: TestServer): Promise<readonly string[]> {
  const caller = await establishmentCaller(server, 'luxembourg');
  const location = await accepted(caller, 'POST', 'Patient', toPatient(josee, luxembourg));
  const { system, value } = patientIdentifier(josee, luxembourg);
  return [`/fhir/Patient/${location.split('/').at(-3)}`, `/fhir/Patient?identifier=${system}|${value}`];
}

/** By an establishment that knows nobody else, with a token that has just begun. */
async function readsOf(server: TestServer, paths: readonly string[]): Promise<ReaderStart> {
  const { token } = await establishmentCaller(server, 'luxembourg');
  const headers = { Authorization: `Bearer ${token}` };
  return { port: Number(new URL(server.url).port), headers, paths, perSecond: PER_SECOND };
}

async function turnsBetween(file: string, from: number, until: number): Promise<readonly number[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  const turns = lines.map((line) => JSON.parse(line) as Turn);
  return turns.filter(({ at }) => at >= from && at <= until).map(({ ms }) => ms);
}

function rowOf(name: string, spans: readonly Span[]): Row {
  const [times, turns] = [spans.flatMap((span) => span.times), spans.flatMap((span) => span.turns)];
  const longest = turns.toSorted((one, other) => other - one);
  return {
    name,
    figures: {
      longestTurnCpuMs: msOf(longest[0] ?? 0),
      nextCpuMs: longest.slice(1, 4).map(msOf).join(' '),
      budgetCpuMs: BUDGET_MS,
      reads: times.length,
      failed: spans.reduce((sum, { failed }) => sum + failed, 0),
      p50Ms: msOf(quantileOf(times, 0.5)),
      p99Ms: msOf(quantileOf(times, 0.99)),
      longestMs: msOf(Math.max(...times)),
    },
  };
}
