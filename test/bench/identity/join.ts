/**
 * A person with thousands of items turns out to be another one: how long that holds the writer, how long until all
 * that is derived follows, and how long others wait, beside a bare transaction that moves as many rows; and how long a
 * reader waits meanwhile.
 */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toPatient } from '../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';
import { establishmentCaller } from '../../support/demonstration.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { ROUNDS } from '../support/rounds.ts';
import type { Held } from './held-writer.ts';
import { accepted, fillJoining, joinHer, quietServer } from './joining.ts';
import { measureReaderBeside } from './reader-beside.ts';

/** While the join goes on, another establishment feeds one identity after the other. */
const QUIET_WRITES = 30;

const { josee } = PATIENTS;
const { luxembourg } = ESTABLISHMENTS;

/** Measures; `PASSERELLE_BENCH_ITEMS` makes her smaller. */
export async function measureJoin(): Promise<readonly Row[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-join-'));
  try {
    const moving = await fill(dataDir);
    const measured: Measured[] = [];
    for (let round = 0; round < ROUNDS; round += 1) measured.push(await joinOnce(dataDir, round));
    const bare = Array.from({ length: ROUNDS }, () => moveBare(dataDir, moving));
    return [rowOf(measured, bare), ...(await measureReaderBeside())];
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Fills a folder; resolves with the id of the Patient who is to move. */
async function fill(dataDir: string): Promise<string> {
  const server = await startServer({ dataDir });
  try {
    return await fillJoining(server, 0);
  } finally {
    await server.stop();
  }
}

type Measured = {
  readonly held: Held;
  readonly answerMs: number;
  readonly wholeMs: number;
  readonly longestWaitMs: number;
  readonly quietMs: number;
};

async function joinOnce(from: string, round: number): Promise<Measured> {
  const dataDir = `${from}-${round}`;
  const file = `${dataDir}.held`;
  await cp(from, dataDir, { recursive: true });
  const preload = fileURLToPath(new URL('held-writer.ts', import.meta.url));
  const under = ['/usr/bin/env', `HELD=${file}`, `NODE_OPTIONS=--import=${preload}`];
  const server = await startServer({ dataDir, under });
  try {
    const author = await establishmentCaller(server, 'strasbourg');
    const others = feeding(await establishmentCaller(server, 'luxembourg'));
    for (let at = 0; at < QUIET_WRITES; at += 1) await others.once();
    const quietMs = medianOf(others.waits.splice(0));
    const before = (await heldIn(file)).length;
    const joined = timedJoin(server, author);
    await others.until(joined);
    const { answerMs, wholeMs } = await joined;
    const held = (await heldIn(file)).slice(before).toSorted((one, other) => other.statements - one.statements)[0];
    if (held === undefined) throw new Error('Nothing was written');
    return { held, answerMs, wholeMs, longestWaitMs: Math.max(...others.waits), quietMs };
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
    await rm(file, { force: true });
  }
}

async function timedJoin(server: TestServer, author: FhirCaller): Promise<Pick<Measured, 'answerMs' | 'wholeMs'>> {
  const began = performance.now();
  await joinHer(author);
  const answerMs = performance.now() - began;
  return { answerMs, wholeMs: (await quietServer(server)) - began };
}

async function heldIn(file: string): Promise<readonly Held[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Held);
}

/** Others write meanwhile: how long each waits. */
function feeding(caller: FhirCaller) {
  const waits: number[] = [];
  let sequence = 0;
  const once = async (): Promise<void> => {
    sequence += 1;
    const [own] = toPatient(josee, luxembourg).identifier ?? [];
    const identifier = [{ ...own, value: `bench-${sequence}` }];
    const began = performance.now();
    await accepted(caller, 'POST', 'Patient', { ...toPatient(josee, luxembourg), identifier });
    waits.push(performance.now() - began);
  };
  const until = async (work: Promise<unknown>): Promise<void> => {
    const state = { isEnded: false };
    const ended = work.finally(() => (state.isEnded = true));
    while (!state.isEnded) await once();
    await ended;
  };
  return { waits, once, until };
}

type Bare = { readonly ms: number; readonly rows: number };

/** Moves the same rows and their access in one durable transaction that does nothing else; undoes it. */
function moveBare(dataDir: string, patient: string): Bare {
  const db = new DatabaseSync(join(dataDir, 'records.sqlite'));
  try {
    db.exec('PRAGMA synchronous = FULL');
    const found = db.prepare("SELECT person FROM resource WHERE type = 'Patient' AND id = ?").get(patient);
    const { person } = found as { person: string };
    const move = (from: string, to: string): Bare => {
      const began = performance.now();
      db.exec('BEGIN IMMEDIATE');
      db.prepare(BARE_ACCESS).run(`pat:${to}`, `pat:${from}`, from, `Patient/${patient}`);
      const { changes } = db.prepare(BARE_ROWS).run(to, `Patient/${to}`, from, `Patient/${patient}`);
      db.exec('COMMIT');
      return { ms: performance.now() - began, rows: Number(changes) };
    };
    const bare = move(person, 'bare');
    move('bare', person);
    return bare;
  } finally {
    db.close();
  }
}

const BARE_ACCESS = `UPDATE acl SET principal = ? WHERE principal = ?
  AND rid IN (SELECT rid FROM resource WHERE person = ? AND subject = ?)`;
const BARE_ROWS = 'UPDATE resource SET person = ?, patient = ? WHERE person = ? AND subject = ?';

function rowOf(measured: readonly Measured[], bare: readonly Bare[]): Row {
  const of = (figure: (one: Measured) => number): number => medianOf(measured.map(figure));
  const [heldMs, bareMs] = [of(({ held }) => held.ms), medianOf(bare.map(({ ms }) => ms))];
  return {
    name: 'a person joins another',
    figures: {
      rows: bare[0]?.rows ?? 0,
      writerHeldMs: msOf(heldMs),
      statements: of(({ held }) => held.statements),
      answerMs: msOf(of(({ answerMs }) => answerMs)),
      wholeMs: msOf(of(({ wholeMs }) => wholeMs)),
      othersWaitMs: msOf(of(({ longestWaitMs }) => longestWaitMs)),
      othersAloneMs: msOf(of(({ quietMs }) => quietMs)),
      bareMs: msOf(bareMs),
      heldToBare: msOf(heldMs / bareMs),
    },
  };
}
