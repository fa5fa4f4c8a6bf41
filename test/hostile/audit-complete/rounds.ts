/**
 * Rounds of killing a server that many read: whatever it began to answer has its event in the trail, which is whole. On
 * MongoDB there are two servers, of which one goes, or both.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { seededRandom } from '../../../fixtures/dicom/noise.ts';
import { clientToken, signIn, signInOnPages } from '../../../fixtures/sign-in.ts';
import { openTrail as openVerifier } from '../../../server/compose/trail.ts';
import { makeExam } from '../../flows/support/exam.ts';
import { PEOPLE, type Person, type PersonKey } from '../../flows/support/people.ts';
import { openTrail } from '../../flows/support/trail.ts';
import { publish } from '../../flows/support/world.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { askUntilGone, READERS, type Access, type Answered } from './readers.ts';

/**
 * What was counted: answers that began, those of them that have no end (and at doors other than WADO-RS), those that
 * share the event of another, and events.
 */
export type CompleteCounts = {
  kills: number;
  answers: number;
  cut: number;
  cutElsewhere: number;
  ofViewings: number;
  events: number;
};

/** A store (`sqlite` or the URI of a MongoDB database), how often servers are killed, and what decides when. */
export type Killing = { readonly store: string; readonly kills: number; readonly seed: number };

/** Some megabytes: more than the system takes of an answer at once. */
const SLICES = 80;
/** How long servers are read before they are killed, at least and at most; two servers on MongoDB answer less. */
const READ_MS = { sqlite: [200, 1_700], mongodb: [1_500, 4_500] } as const;

/** Kills servers so many times while they are read; throws an AssertionError when an answer has no event. */
export async function killWhileRead({ store, kills, seed }: Killing): Promise<CompleteCounts> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-audit-'));
  const random = seededRandom(seed);
  const counts: CompleteCounts = { kills: 0, answers: 0, cut: 0, cutElsewhere: 0, ofViewings: 0, events: 0 };
  const [least, most] = store === 'sqlite' ? READ_MS.sqlite : READ_MS.mongodb;
  const servers: TestServer[] = [];
  try {
    const first = await startServer({ store, dataDir });
    servers.push(first);
    if (store !== 'sqlite') servers.push(await startServer({ store, dataDir }));
    const author = { url: first.url, token: await clientToken({ url: first.url, client: PEOPLE.author.client }) };
    const exam = await makeExam(SLICES);
    const sent = { exam, ...(await publish(first, author, exam)) };
    for (; counts.kills < kills; counts.kills += 1) {
      const asking = askUntilGone(await signAllIn(servers), sent, random);
      await wait(least + random() * (most - least));
      // Every other time one of two goes on.
      const going = servers.splice(0, counts.kills % 2 === 0 ? servers.length : 1);
      await Promise.all(going.map(async (server) => await server.kill()));
      const answered = await asking;
      if (store !== 'sqlite') await endTransactions(store);
      for (const _ of going) servers.push(await startServer({ store, dataDir }));
      await checkEvents({ store, dataDir }, answered, counts);
    }
    return counts;
  } finally {
    for (const server of servers) await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/**
 * Ends what the killed servers had begun: until then nobody writes what they were writing. MongoDB does so by itself
 * after a minute (`transactionLifetimeLimitSeconds`).
 */
async function endTransactions(store: string): Promise<void> {
  const client = await MongoClient.connect(store);
  try {
    await client.db('admin').command({ killAllSessions: [] });
  } finally {
    await client.close();
  }
}

type Kept = { readonly store: string; readonly dataDir: string };
type Events = ReadonlyMap<string, readonly AuditEvent[]>;

async function checkEvents(kept: Kept, answered: readonly Answered[], counts: CompleteCounts): Promise<void> {
  const trail = await openTrail(kept.store, kept.dataDir);
  try {
    const all = await trail.byRequest();
    const events = new Map(answered.map(({ requestId }) => [requestId, all.get(requestId) ?? []]));
    const wrong = answered.filter((one) => !isTold(one, answered, events));
    expect(wrong.map(tell), 'answers without an event that tells them').to.deep.equal([]);
    const cut = answered.filter(({ isCut }) => isCut);
    counts.answers += answered.length;
    counts.cut += cut.length;
    counts.cutElsewhere += cut.filter(({ name }) => !name.startsWith('WADO-RS')).length;
    counts.ofViewings += answered.filter(({ requestId }) => events.get(requestId)?.length === 0).length;
    counts.events += [...events.values()].reduce((sum, { length }) => sum + length, 0);
  } finally {
    await trail.close();
  }
  const verifier = await openVerifier(kept);
  try {
    expect(await verifier.verify()).to.deep.include({ whole: true });
  } finally {
    await verifier.close();
  }
}

/**
 * Whether an answer has its event, which says of what was given that it was. What is viewed on, within one life of
 * the server, is told by the event of the request that began the viewing.
 */
function isTold({ requestId, outcome, viewing, end }: Answered, all: readonly Answered[], events: Events): boolean {
  const own = events.get(requestId) ?? [];
  // What is granted is told before it is made; she may withdraw it until then, and nothing of it is given.
  if (own.length > 0) return outcome !== '0' || own.some((event) => event.outcome === outcome);
  if (viewing === undefined || outcome === '4') return false;
  const before = all.filter((one) => one.viewing === viewing && one.begin < end);
  return before.some((one) => events.get(one.requestId)?.some((event) => event.outcome === '0') === true);
}

function tell({ name, status, isCut, outcome }: Answered): string {
  return `${name}: ${status}${isCut ? ', cut' : ''}${outcome === undefined ? '' : `, outcome ${outcome}`}`;
}

async function signAllIn(servers: readonly TestServer[]): Promise<Access> {
  const urls = servers.map(({ url }) => url);
  const [url = ''] = urls;
  const [tokens, sessions] = [new Map<PersonKey, string>(), new Map<PersonKey, string>()];
  for (const key of READERS) {
    const { client, login: person = '' }: Person = PEOPLE[key];
    tokens.set(key, client === undefined ? await signIn({ url, person }) : await clientToken({ url, client }));
    if (client === undefined) sessions.set(key, await signInOnPages({ url, person }));
  }
  return { urls, tokens, sessions };
}
