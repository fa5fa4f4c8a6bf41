/** Jobs of processes that are killed in the middle of them, and of processes that share a store. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { JOB_POLICIES } from '../../server/flows/jobs/job-policies.ts';
import { openMongoStores } from '../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../server/stores/sqlite/open.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
import { aJob, aPlan } from '../support/plans.ts';
import type { Stores } from '../support/stores.ts';
import { commitPlan } from '../support/warrants.ts';

const PROGRAM = new URL('../support/jobs/job-process.ts', import.meta.url).pathname;
const KIND = 'refresh-study';
const { leaseMs } = JOB_POLICIES[KIND];

/** A running process, and the ids of the jobs that it began, as they come. */
type JobProcess = { readonly begun: readonly string[]; kill(): Promise<void> };

function startProcess(place: string, mode: 'hang' | 'run'): JobProcess {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, place, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const begun: string[] = [];
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => void begun.push(line.replace('begun ', '')));
  return {
    begun,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function ask(stores: Stores, ...jobs: ReturnType<typeof aJob>[]): Promise<void> {
  await commitPlan(stores.records, aPlan({ jobs }));
}

async function begunBy(processes: readonly JobProcess[], count: number): Promise<string[]> {
  return await eventually(async () => {
    const all = processes.flatMap(({ begun }) => begun);
    return all.length >= count ? all : undefined;
  }, 30);
}

describe('Jobs of a process that is killed (SQLite)', function () {
  this.timeout(60_000);
  it('run again when the next one starts, without waiting for the end of a lease', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-killed-jobs-'));
    const first = await openSqliteStores({ dataDir });
    const job = aJob();
    await ask(first, job);
    await first.close();
    const hanging = startProcess(dataDir, 'hang');
    let again: JobProcess | undefined;
    try {
      expect(await begunBy([hanging], 1)).to.deep.equal([job.id]);
      await hanging.kill();
      again = startProcess(dataDir, 'run');
      expect(await begunBy([again], 1)).to.deep.equal([job.id]);
      await again.kill();
      const stores = await openSqliteStores({ dataDir });
      const [left] = await stores.jobs.list({ limit: 2 }, Date.now());
      await stores.close();
      // It may have been killed before it could say that the job is done.
      expect(left?.attempts ?? 2).to.equal(2);
    } finally {
      await hanging.kill();
      await again?.kill();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

const missing = whyNoMongoPeer();
const suite = missing === undefined ? describe : describe.skip;

suite(`Jobs of several processes on one MongoDB${missing === undefined ? '' : `: skipped, ${missing}`}`, function () {
  this.timeout(60_000);
  let peer: MongoPeer;
  let uri: string;
  let stores: Awaited<ReturnType<typeof openMongoStores>>;
  let processes: JobProcess[];

  before(async () => {
    const started = await startMongoPeer();
    if (started === undefined) throw new Error('There is no MongoDB peer');
    peer = started;
  });
  after(async () => {
    await peer?.stop();
  });
  beforeEach(async () => {
    processes = [];
    uri = peer.freshUri();
    stores = await openMongoStores({ uri });
  });
  afterEach(async () => {
    for (const one of processes) await one.kill();
    await stores.close();
    await peer.drop(uri);
  });
  const start = (mode: 'hang' | 'run'): JobProcess => {
    const one = startProcess(uri, mode);
    processes.push(one);
    return one;
  };

  it('run once each while leases hold', async () => {
    const jobs = Array.from({ length: 40 }, () => aJob());
    start('run');
    start('run');
    await ask(stores, ...jobs);
    await begunBy(processes, jobs.length);
    await eventually(async () => ((await stores.jobs.list({ limit: 1 }, Date.now())).length === 0 ? true : undefined));
    const ids = jobs.map(({ id }) => id).toSorted();
    expect(processes.flatMap(({ begun }) => begun).toSorted()).to.deep.equal(ids);
  });

  it('are taken over from a process that was killed in the middle, when its lease ends', async () => {
    const job = aJob();
    await ask(stores, job);
    // It is killed outside of every transaction: what this peer locks for a dead one stays locked for a minute.
    expect(await begunBy([start('hang')], 1)).to.deep.equal([job.id]);
    for (const one of processes) await one.kill();
    const now = Date.now();
    expect(await stores.jobs.take(KIND, { now, leaseMs, limit: 1 })).to.deep.equal([]);
    const [taken] = await stores.jobs.take(KIND, { now: now + leaseMs, leaseMs, limit: 1 });
    expect(taken).to.include({ id: job.id, attempts: 2, token: 2 });
  });
});
