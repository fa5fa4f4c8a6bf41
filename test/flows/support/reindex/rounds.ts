/**
 * Rows of a former release are indexed anew by this one, while it answers and is killed twice in the middle: what was
 * announced at the end finds every row.
 */
import type { Bundle, ServiceRequest } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { seededRandom } from '../../../../fixtures/dicom/noise.ts';
import { toPatient } from '../../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../../fixtures/people.ts';
import { eventually, fhirCaller, type FhirCaller } from '../../../support/clients/fhir-caller.ts';
import { establishmentCaller } from '../../../support/demonstration.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { announced, keepBusy, leftToReindex, type Busyness } from './busy.ts';
import { NEW_PARAMETER, type FormerRelease } from './former-release.ts';
import { PERFORMER_TYPES, performerType, serviceRequest } from './service-request.ts';

/** Where, how many rows, and for how long a round may go on. */
export type ReindexOptions = {
  readonly release: FormerRelease;
  readonly store: string;
  readonly dataDir: string;
  readonly rows: number;
  /** From which the moments of the kills come. */
  readonly seed: number;
  readonly secondsOfRound: number;
};

/** What happened. */
export type ReindexCounts = {
  readonly rows: number;
  readonly leftAtFirstKill: number;
  readonly leftAtSecondKill: number;
  /** Rows that clients wrote meanwhile, and searches that they made, with the slowest. */
  readonly writtenMeanwhile: number;
  readonly readsMeanwhile: number;
  readonly slowestReadMs: number;
  /** How often the new parameter was looked for before it was announced. */
  readonly unannounced: number;
};

/** A server is killed when so much of the rows is left, or up to a fifth of all less. */
const KILLS = [0.8, 0.5];
const LATER = 0.2;
const RENEWED_AFTER_MS = 200_000;

/** The region of the former release with rows: the Patient whose they are. */
export async function fillFormerRelease({ release, store, dataDir, rows }: ReindexOptions): Promise<string> {
  const former = await release.start(store, dataDir);
  try {
    const caller = await establishmentCaller(former, 'strasbourg');
    const made = await caller.send('POST', 'Patient', toPatient(PATIENTS.helene, ESTABLISHMENTS.strasbourg));
    expect(made.status, made.text).to.equal(201);
    expect(await announced(former))
      .to.include('code')
      .and.not.include(NEW_PARAMETER);
    const patient = /Patient\/([^/]+)/.exec(made.headers.get('location') ?? '')?.[1] ?? '';
    await former.stop();
    await release.fill(store, dataDir, { patient, rows });
    return patient;
  } finally {
    await former.stop();
  }
}

/** Does it; throws an AssertionError when a promise was broken. */
export async function reindexWhileKilled(options: ReindexOptions): Promise<ReindexCounts> {
  const { store, dataDir, rows, secondsOfRound } = options;
  const patient = await fillFormerRelease(options);
  const busy: Busyness = {
    patient,
    next: rows,
    written: new Map(),
    unheard: new Set(),
    reads: 0,
    slowestReadMs: 0,
    unannounced: 0,
  };
  const leftAtKills: number[] = [];
  const random = seededRandom(options.seed);
  for (const part of KILLS) leftAtKills.push(await roundUntilKilled(options, busy, rows * (part - LATER * random())));
  const server = await startServer({ store, dataDir });
  try {
    const caller = await lastingCaller(server);
    const client = keepBusy(server, caller, busy);
    const isAnnounced = async () => ((await announced(server)).includes(NEW_PARAMETER) ? true : undefined);
    await eventually(isAnnounced, secondsOfRound).finally(async () => await client.stop());
    await checkFound(caller, busy, rows);
  } finally {
    await server.stop();
  }
  const [leftAtFirstKill = 0, leftAtSecondKill = 0] = leftAtKills;
  return {
    rows,
    leftAtFirstKill,
    leftAtSecondKill,
    writtenMeanwhile: busy.written.size,
    readsMeanwhile: busy.reads,
    slowestReadMs: busy.slowestReadMs,
    unannounced: busy.unannounced,
  };
}

/** A caller that asks for a further token while the one before, of five minutes, is good. */
async function lastingCaller(server: TestServer): Promise<FhirCaller> {
  let [token, until] = ['', 0];
  const renewed = async (): Promise<string> => {
    if (performance.now() < until) return token;
    ({ token } = await establishmentCaller(server, 'strasbourg'));
    until = performance.now() + RENEWED_AFTER_MS;
    return token;
  };
  return fhirCaller(server.url, await renewed(), renewed);
}

/** Resolves with how many rows were left. */
async function roundUntilKilled(
  { store, dataDir, secondsOfRound }: ReindexOptions,
  busy: Busyness,
  most: number,
): Promise<number> {
  const server = await startServer({ store, dataDir });
  try {
    expect(await announced(server)).to.not.include(NEW_PARAMETER);
    const client = keepBusy(server, await lastingCaller(server), busy);
    const fewer = async () => {
      const left = await leftToReindex(server);
      return left <= most ? left : undefined;
    };
    const left = await eventually(fewer, secondsOfRound);
    expect(left, 'rows left').to.be.greaterThan(0);
    expect(await announced(server)).to.not.include(NEW_PARAMETER);
    await server.kill();
    await client.stop();
    return left;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Every row is found by the new parameter, once, and lists are sorted by the new key. */
async function checkFound(caller: FhirCaller, busy: Busyness, rows: number): Promise<void> {
  const expected = await expectedPerformers(caller, busy, rows);
  for (let number = 0; number < PERFORMER_TYPES; number += 1) {
    const code = performerType(number);
    const wanted = [...expected.values()].filter((performer) => performer === code).length;
    expect(await countOf(caller, `${NEW_PARAMETER}=urn:example:performers|${code}`), code).to.equal(wanted);
  }
  expect(await countOf(caller, `${NEW_PARAMETER}:missing=true`)).to.equal(0);
  expect(await countOf(caller, '')).to.equal(expected.size);
  const untouched = await caller.findOne<ServiceRequest>('ServiceRequest?code=urn:example:orders|0');
  expect(untouched.meta?.versionId).to.equal('1');
  await checkOrder(caller, [...expected.keys()]);
}

/** What was sent and not answered stands or does not: its row tells. */
async function expectedPerformers(caller: FhirCaller, busy: Busyness, rows: number): Promise<Map<number, string>> {
  const expected = new Map(Array.from({ length: rows }, (_, number) => [number, performerType(number)] as const));
  for (const [number, performer] of busy.written) expected.set(number, performer);
  for (const number of busy.unheard) {
    const [order] = await caller.find<ServiceRequest>(`ServiceRequest?code=urn:example:orders|${number}`);
    const performer = order?.performerType?.coding?.[0]?.code;
    if (performer !== undefined) expected.set(number, performer);
  }
  return expected;
}

async function countOf(caller: FhirCaller, search: string): Promise<number | undefined> {
  const answer = await caller.get(`ServiceRequest?${search}&_summary=count&_total=accurate`);
  expect(answer.status, answer.text).to.equal(200);
  return answer.json<Bundle>().total;
}

/** Of the first page. */
async function checkOrder(caller: FhirCaller, numbers: readonly number[]): Promise<void> {
  const days = (await caller.find<ServiceRequest>('ServiceRequest?_count=500')).map((order) => order.authoredOn ?? '');
  const expected = numbers
    .map((number) => serviceRequest('', number).authoredOn ?? '')
    .toSorted()
    .toReversed();
  expect(days).to.deep.equal(expected.slice(0, days.length));
}
