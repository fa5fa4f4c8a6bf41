/** Running jobs: what hangs, fails or is slow stops nothing else. Hooks decide when work ends, not the time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Fault } from '../../../../profiles/fault.ts';
import { JOB_POLICIES, type JobPolicies } from '../../../../server/flows/jobs/job-policies.ts';
import type { JobRun } from '../../../../server/flows/jobs/job-runner.ts';
import { replayJobs } from '../../../../server/flows/jobs/operate-jobs.ts';
import { JobRunners, type JobTable } from '../../../../server/flows/jobs/run-jobs.ts';
import type { Log } from '../../../../server/log.ts';
import { JOB_KINDS, type JobKind, type JobRequest, type TakenJob } from '../../../../server/ports/job-queue.ts';
import { openMongoStores } from '../../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { eventually } from '../../../support/clients/fhir-caller.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../../../support/peers/mongodb-peer.ts';
import { aJob, aPlan, aUid, NOW } from '../../../support/plans.ts';
import { openThrough, type OpenedStores } from '../../../support/stores.ts';
import { commitPlan } from '../../../support/warrants.ts';

type Work = (job: TakenJob, run: JobRun) => Promise<void>;
type Line = { readonly level: string; readonly message: string } & Readonly<Record<string, unknown>>;

for (const { name, open } of [
  { name: 'SQLite', open: openSqlite },
  { name: 'MongoDB', open: openMongo },
]) {
  const missing = name === 'MongoDB' ? whyNoMongoPeer() : undefined;
  const suite = missing === undefined ? describe : describe.skip;
  suite(`Running jobs: ${name}${missing === undefined ? '' : `, skipped, ${missing}`}`, function () {
    this.timeout(60_000);
    let stores: OpenedStores;
    let opened: JobRunners[];
    let lines: Line[];
    let now: number;

    before(async () => {
      stores = await open();
    });
    after(async () => {
      await stores?.close();
    });
    beforeEach(() => {
      [opened, lines, now] = [[], [], NOW];
    });
    afterEach(async () => {
      await Promise.all(opened.map(async (runners) => await runners.stop(0)));
      const jobs = await stores.jobs.list({ limit: 1_000 }, now);
      await commitPlan(stores.records, aPlan({ erased: [{ jobs }] }));
    });

    /** Runners of a server: what one kind does, and what every other does. */
    function runnersOf(kind: JobKind, work: Work, others: Work = async () => undefined, policies = {}): JobRunners {
      const table = Object.fromEntries(JOB_KINDS.map((one) => [one, one === kind ? work : others]));
      const runners = new JobRunners({
        queue: stores.jobs,
        clock: { now: () => now },
        log: logInto(lines),
        work: table as unknown as JobTable,
        policies: { ...JOB_POLICIES, ...policies } as JobPolicies,
      });
      opened.push(runners);
      return runners;
    }

    const ask = async (...jobs: readonly JobRequest[]): Promise<void> =>
      void (await commitPlan(stores.records, aPlan({ jobs })));
    const standing = async ({ subject }: JobRequest) =>
      (await stores.jobs.list({ limit: 1_000 }, now)).find((job) => job.subject === subject);

    it('begins the next refresh of a study while five jobs of every other kind hang, and two of its own', async () => {
      const [hang, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
      let ended = 0;
      const hanging: Work = async () => await hang.promise.then(() => void (ended += 1));
      const own = [aJob(), aJob()];
      const next = aJob();
      const refresh: Work = async ({ subject }, run) => {
        if (own.some((one) => one.subject === subject)) return await hanging({} as TakenJob, run);
        begun.resolve(subject);
      };
      const runners = runnersOf('refresh-study', refresh, hanging);
      const others = JOB_KINDS.filter((kind) => kind !== 'refresh-study');
      await ask(...own, ...others.flatMap((kind) => Array.from({ length: 5 }, () => jobOfKind(kind))));
      await runners.look();
      await ask(next);
      await runners.look();
      expect(await begun.promise).to.equal(next.subject);
      expect(ended).to.equal(0);
      hang.resolve();
      await runners.idle();
      expect(ended, 'and the rest has its turn').to.equal(2 + 5 * others.length);
    });

    it('begins at once what a commit of its process asks for, without a look', async () => {
      const begun = Promise.withResolvers<string>();
      runnersOf('refresh-study', async ({ id }) => begun.resolve(id)).follow();
      const [later, job] = [aJob({ at: NOW + 1 }), aJob()];
      await ask(later, job);
      expect(await begun.promise).to.equal(job.id);
      await opened[0]?.idle();
      expect(await standing(later)).to.include({ state: 'waiting', attempts: 0 });
    });

    it('runs no more at a time than the kind may, and all in the end', async () => {
      let [running, most] = [0, 0];
      const done: string[] = [];
      const work: Work = async ({ id }) => {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        done.push(id);
      };
      const jobs = Array.from({ length: 11 }, () => aJob());
      await ask(...jobs);
      const runners = runnersOf('refresh-study', work);
      await runners.look();
      await runners.idle();
      expect([done.toSorted(), most]).to.deep.equal([jobs.map(({ id }) => id).toSorted(), 4]);
    });

    it('tries what fails again, later each time, until it is dead; replayed it has as many attempts', async () => {
      let attempts = 0;
      let isMended = false;
      const failing: Work = async () => {
        attempts += 1;
        if (!isMended) throw new Fault('no-store', 'The disk is full');
      };
      const policy = { ...JOB_POLICIES['refresh-study'], attempts: 4, pauseMs: 1_000, longestPauseMs: 3_000 };
      const runners = runnersOf('refresh-study', failing, undefined, { 'refresh-study': policy });
      const job = aJob();
      await ask(job);
      const pauses: number[] = [];
      for (let tries = 1; tries <= 4; tries += 1) {
        await runners.look();
        await runners.idle();
        const { at = now, state } = (await standing(job)) ?? {};
        if (state === 'waiting') pauses.push(at - now);
        now = at;
      }
      expect([attempts, pauses]).to.deep.equal([4, [1_000, 2_000, 3_000]]);
      expect(await standing(job)).to.include({ state: 'dead', attempts: 4, error: 'no-store' });
      const died = lines.filter(({ level }) => level === 'error');
      expect(died).to.have.length(1);
      expect(died[0]).to.include({ kind: 'refresh-study', job: job.id, error: 'no-store', attempts: 4 });
      expect(JSON.stringify(lines)).to.not.include(job.subject);
      now += 86_400_000;
      await runners.look();
      expect(attempts, 'a dead job is left alone').to.equal(4);

      isMended = true;
      const operate = { records: stores.records, queue: stores.jobs, clock: { now: () => now } };
      expect(await replayJobs(operate)({ kind: 'refresh-study' })).to.equal(1);
      await runners.look();
      await runners.idle();
      expect([attempts, await standing(job)]).to.deep.equal([5, undefined]);
    });

    it('takes a job that gives no sign of life for hung, which makes room; one that goes on is not', async () => {
      const [hang, alive] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const [hung, slow, next] = [aJob(), aJob(), aJob({ at: NOW + 1 })];
      const begun: string[] = [];
      const work: Work = async ({ id }, run) => {
        begun.push(id);
        if (id === hung.id) return await hang.promise;
        if (id !== slow.id) return alive.resolve();
        // Until the others have run, it says that it goes on.
        for (let isOver = false; !isOver;) {
          await run.goOn();
          isOver = await Promise.race([alive.promise.then(() => true), soon()]);
        }
      };
      const policy = { ...JOB_POLICIES['refresh-study'], concurrency: 2, leaseMs: 2_500 };
      const runners = runnersOf('refresh-study', work, undefined, { 'refresh-study': policy });
      await ask(hung, slow);
      await runners.look();
      await ask(next);
      now += 1;
      await runners.look();
      await alive.promise;
      await runners.idle();
      expect(begun).to.deep.equal([...begun.slice(0, 2), next.id]);
      expect(await standing(hung)).to.include({ state: 'waiting', attempts: 1, error: 'hung' });
      expect([await standing(slow), await standing(next)]).to.deep.equal([undefined, undefined]);
      hang.resolve();
    });

    it('gives up a job that nobody came back with as often as it may fail', async () => {
      const job = aJob();
      await ask(job);
      const { attempts, leaseMs } = JOB_POLICIES['refresh-study'];
      for (let tries = 0; tries < attempts; tries += 1) {
        expect(await stores.jobs.take('refresh-study', { now, leaseMs, limit: 1 })).to.have.length(1);
        now += leaseMs;
      }
      let ran = 0;
      const runners = runnersOf('refresh-study', async () => void (ran += 1));
      await runners.look();
      await runners.idle();
      expect(await standing(job)).to.include({ state: 'dead', error: 'lost' });
      expect(ran).to.equal(0);
    });

    it('shares jobs with another server: each runs once while its lease holds', async () => {
      const jobs = Array.from({ length: 30 }, () => aJob());
      await ask(...jobs);
      const ran: string[] = [];
      const two = [0, 1].map(() => runnersOf('refresh-study', async ({ id }) => void ran.push(id)));
      await Promise.all(two.map(async (runners) => await runners.look()));
      await Promise.all(two.map(async (runners) => await runners.idle()));
      expect(ran.toSorted()).to.deep.equal(jobs.map(({ id }) => id).toSorted());
    });

    it('takes over from a server that is gone, whose late end changes nothing', async () => {
      const job = aJob();
      await ask(job);
      const { leaseMs } = JOB_POLICIES['refresh-study'];
      const [late] = await stores.jobs.take('refresh-study', { now, leaseMs, limit: 1 });
      const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const runners = runnersOf('refresh-study', async () => (begun.resolve(), await end.promise));
      now += leaseMs - 1;
      await runners.look();
      now += 1;
      await runners.look();
      await begun.promise;
      if (late === undefined) throw new Error('The job was taken');
      expect(await stores.jobs.settle(late, now, { end: 'done' })).to.equal(false);
      expect(await standing(job)).to.include({ state: 'running', attempts: 2 });
      end.resolve();
      await runners.idle();
      expect(await standing(job)).to.equal(undefined);
    });

    it('stops: what runs may end, what goes on step by step or hangs is given back, no more is taken', async () => {
      const [hang, ending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const [ends, steps, hangs, waits] = [aJob(), aJob(), aJob(), aJob({ at: NOW + 1 })];
      const begun = new Set<string>();
      const work: Work = async ({ id }, run) => {
        begun.add(id);
        if (id === ends.id) return await ending.promise;
        if (id === hangs.id) return await hang.promise;
        for (;;) {
          await run.goOn();
          await soon();
        }
      };
      const runners = runnersOf('refresh-study', work);
      runners.follow();
      await ask(ends, steps, hangs);
      await eventually(async () => (begun.size === 3 ? true : undefined));
      const stopped = runners.stop(500);
      ending.resolve();
      await ask({ ...waits, at: NOW });
      await stopped;
      expect(await standing(ends)).to.equal(undefined);
      for (const job of [steps, hangs, waits])
        expect(await standing(job)).to.include({ state: 'waiting', attempts: 0, error: undefined });
      expect([...begun]).to.not.include(waits.id);
      hang.resolve();
    });

    it('logs a line for a kind that is behind, and none for one that is not', async () => {
      const runners = runnersOf('refresh-study', async () => undefined);
      await ask(aJob({ at: NOW - 300_000 }), aJob(), jobOfKind('close-study'));
      await runners.tellBehind();
      const told = { level: 'warn', message: 'jobs are behind', kind: 'refresh-study', waiting: 2, oldestSeconds: 300 };
      expect(lines).to.have.length(1);
      expect(lines[0]).to.include(told);
    });
  });
}

function jobOfKind(kind: JobKind): JobRequest {
  const payload = kind === 'end-viewing' ? { part: 'frames', further: 1, ended: NOW } : {};
  return { ...aJob({ subject: aUid() }), kind, payload } as JobRequest;
}

async function soon(): Promise<false> {
  return await new Promise((resolve) => setTimeout(resolve, 20, false));
}

function logInto(lines: Line[]): Log {
  const write = (level: string) => (told: object, message: string) => void lines.push({ ...told, level, message });
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: () => undefined };
}

async function openSqlite(): Promise<OpenedStores> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-jobs-'));
  return await openThrough({
    open: async () => await openSqliteStores({ dataDir }),
    remove: async () => await rm(dataDir, { recursive: true, force: true }),
  });
}

async function openMongo(): Promise<OpenedStores> {
  const peer: MongoPeer | undefined = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const uri = peer.freshUri();
  return await openThrough({
    open: async () => await openMongoStores({ uri }),
    remove: async () => await peer.stop(uri),
  });
}
