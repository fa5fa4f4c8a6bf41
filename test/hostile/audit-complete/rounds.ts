/**
 * Rounds of killing a server that many read: whatever it began to answer has its event in the trail, which is whole.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { seededRandom } from '../../../fixtures/dicom/noise.ts';
import { clientToken, signIn, signInOnPages } from '../../../fixtures/sign-in.ts';
import { makeExam } from '../../flows/support/exam.ts';
import { PEOPLE, type Person, type PersonKey } from '../../flows/support/people.ts';
import { openTrail } from '../../flows/support/trail.ts';
import { publish } from '../../flows/support/world.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { verifyTrail } from '../kill/data-folder.ts';
import { askUntilGone, READERS, type Access, type Answered } from './readers.ts';

/** What was counted: answers that began, those that share the event of another, and events. */
export type CompleteCounts = { kills: number; answers: number; ofViewings: number; events: number };

const SLICES = 4;

/** Kills a server so many times while it is read; throws an AssertionError when an answer has no event. */
export async function killWhileRead({
  kills,
  seed,
}: {
  readonly kills: number;
  readonly seed: number;
}): Promise<CompleteCounts> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-audit-'));
  const random = seededRandom(seed);
  const counts: CompleteCounts = { kills: 0, answers: 0, ofViewings: 0, events: 0 };
  let server: TestServer | undefined;
  try {
    server = await startServer({ dataDir });
    const author = { url: server.url, token: await clientToken({ url: server.url, client: PEOPLE.author.client }) };
    const exam = await makeExam(SLICES);
    const sent = { exam, ...(await publish(server, author, exam)) };
    for (; counts.kills < kills; counts.kills += 1) {
      const asking = askUntilGone(await signAllIn(server.url), sent, random);
      await wait(200 + random() * 1_500);
      await server.kill();
      const answered = await asking;
      server = await startServer({ dataDir });
      await checkEvents(server, answered, counts);
    }
    return counts;
  } finally {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function checkEvents(
  { dataDir }: TestServer,
  answered: readonly Answered[],
  counts: CompleteCounts,
): Promise<void> {
  const trail = await openTrail('sqlite', dataDir);
  try {
    const events = new Map<string, number>();
    for (const { requestId } of answered) events.set(requestId, (await trail.eventsOf(requestId)).length);
    const missing = answered.filter((one) => events.get(one.requestId) === 0 && !isOfViewing(one, answered, events));
    expect(
      missing.map(({ name, status }) => `${name}: ${status}`),
      'answers without an event',
    ).to.deep.equal([]);
    counts.answers += answered.length;
    counts.ofViewings += answered.filter(({ requestId }) => events.get(requestId) === 0).length;
    counts.events += [...events.values()].reduce((sum, count) => sum + count, 0);
  } finally {
    await trail.close();
  }
  expect(verifyTrail(dataDir)).to.deep.include({ whole: true });
}

/** What is viewed on, within one life of the server, is told by the event of the request that began the viewing. */
function isOfViewing(one: Answered, all: readonly Answered[], events: ReadonlyMap<string, number>): boolean {
  const first = all.find(
    ({ viewing, requestId, begin }) => viewing === one.viewing && (events.get(requestId) ?? 0) > 0 && begin < one.end,
  );
  return one.viewing !== undefined && first !== undefined;
}

async function signAllIn(url: string): Promise<Access> {
  const [tokens, sessions] = [new Map<PersonKey, string>(), new Map<PersonKey, string>()];
  for (const key of READERS) {
    const { client, login: person = '' }: Person = PEOPLE[key];
    tokens.set(key, client === undefined ? await signIn({ url, person }) : await clientToken({ url, client }));
    if (client === undefined) sessions.set(key, await signInOnPages({ url, person }));
  }
  return { url, tokens, sessions };
}
