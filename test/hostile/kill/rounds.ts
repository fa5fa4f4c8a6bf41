/**
 * Rounds of killing: senders stream small studies and a client posts their reports while the server is killed at a
 * random moment; it is started again on the same folder, and what it acknowledged is looked for there.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom, type Random } from '../../../fixtures/dicom/noise.ts';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { clientToken } from '../../../fixtures/sign-in.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { checkRound, checkStanding } from './checks.ts';
import { ageBlobs, referredBlobs, storedBlobs } from './data-folder.ts';
import { aSentReport, aSentStudy, newLedger, type Ledger, type SentStudy } from './ledger.ts';
import { sendInstances } from './store-sender.ts';

/** How often, and from which seed the moments come. */
export type KillOptions = { readonly kills: number; readonly seed: number };

/** What happened in all rounds. */
export type KillCounts = {
  kills: number;
  instancesSent: number;
  instancesAcknowledged: number;
  /** Stored, though the sender never heard of it. */
  instancesUnheard: number;
  reportsSent: number;
  reportsAcknowledged: number;
  reportsUnheard: number;
  /** Files without a row that a kill left, and the start after it swept. */
  orphansSwept: number;
};

const SENDERS = 2;
const STUDIES_PER_SENDER = 60;
const ESTABLISHMENT = ESTABLISHMENTS.strasbourg;

/** Kills and checks; throws an AssertionError when a promise was broken. */
export async function killAndCheck({ kills, seed }: KillOptions): Promise<KillCounts> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-kill-'));
  const random = seededRandom(seed);
  const counts = {
    kills: 0,
    instancesSent: 0,
    instancesAcknowledged: 0,
    instancesUnheard: 0,
    reportsSent: 0,
    reportsAcknowledged: 0,
    reportsUnheard: 0,
    orphansSwept: 0,
  };
  let server: TestServer | undefined;
  try {
    server = await startServer({ dataDir });
    const ledgers: Ledger[] = [];
    for (; counts.kills < kills; counts.kills += 1) {
      const ledger = await sendUntilKilled(server, `kill-${seed}-${counts.kills}`, random);
      ledgers.push(ledger);
      counts.orphansSwept += await orphansOf(dataDir);
      await ageBlobs(dataDir);
      server = await startServer({ dataDir });
      add(counts, await checkRound(server, ledger));
    }
    // What a kill left whole, the kills after it left whole too.
    for (const ledger of ledgers) await checkStanding(server, ledger);
    return counts;
  } finally {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Mostly in the first storm of writes; sometimes so late that studies are being closed. */
function killMoment(random: Random): number {
  return random() < 0.75 ? 5 + random() * 500 : 500 + random() * 1_500;
}

async function sendUntilKilled(server: TestServer, key: string, random: Random): Promise<Ledger> {
  const ledger = newLedger();
  const token = await clientToken({ url: server.url, client: ESTABLISHMENT.clientId });
  const studies = Array.from({ length: SENDERS }, (_, sender) =>
    Array.from({ length: STUDIES_PER_SENDER }, (__, at) => aSentStudy(`${key}-${sender}`, at)),
  );
  const sending = [
    ...studies.map(async (mine) => await streamStudies(server, mine, ledger)),
    postReports(server, token, studies[0] ?? [], ledger),
  ];
  await wait(killMoment(random));
  await server.kill();
  await Promise.all(sending);
  return ledger;
}

async function streamStudies(server: TestServer, studies: readonly SentStudy[], ledger: Ledger): Promise<void> {
  const uids = new Map(
    studies.flatMap((sent) => sent.instances.map(({ sopInstanceUID }) => [sopInstanceUID, sent] as const)),
  );
  const instances = function* () {
    for (const sent of studies) {
      ledger.studies.push(sent);
      yield* sent.instances;
    }
  };
  await sendInstances(server.dimse, ESTABLISHMENT.aeTitle, instances(), ({ sopInstanceUID }, status) => {
    if (status === 0) uids.get(sopInstanceUID)?.acknowledged.add(sopInstanceUID);
    else ledger.refusals.push(`C-STORE ${sopInstanceUID}: ${status.toString(16)}`);
  });
}

/** Posts until the server is gone. */
async function postReports(
  server: TestServer,
  token: string,
  studies: readonly SentStudy[],
  ledger: Ledger,
): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' };
  for (const study of studies) {
    const report = await aSentReport(study);
    ledger.reports.push(report);
    try {
      const response = await fetch(`${server.url}/fhir`, {
        method: 'POST',
        headers,
        body: JSON.stringify(report.bundle),
      });
      report.acknowledged = response.ok;
      if (!response.ok) ledger.refusals.push(`POST ${response.status}: ${await response.text()}`);
    } catch {
      return;
    }
  }
}

async function orphansOf(dataDir: string): Promise<number> {
  const referred = new Set(referredBlobs(dataDir));
  return (await storedBlobs(dataDir)).filter((name) => !referred.has(name)).length;
}

function add(counts: KillCounts, round: Partial<KillCounts>): void {
  for (const [name, number] of Object.entries(round) as [keyof KillCounts, number][]) counts[name] += number;
}
