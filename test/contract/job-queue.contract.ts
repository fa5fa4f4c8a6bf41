/** What every JobQueue adapter keeps: the promises of server/ports/job-queue.ts, told by behaviour. */
import { expect } from 'chai';
import {
  JOB_KINDS,
  JOB_LIMITS,
  type JobKind,
  type JobOutcome,
  type JobRequest,
  type StandingJob,
  type TakenJob,
} from '../../server/ports/job-queue.ts';
import { MAX_PAGE } from '../../server/ports/bounds.ts';
import { expectFault } from '../support/faults.ts';
import { aClaimKey, aJob, anId, aPersonKey, aPlan, NOW } from '../support/plans.ts';
import type { OpenStores } from '../support/stores.ts';
import { useStores, type Suite } from './suite.ts';
import { commitPlan } from '../support/warrants.ts';

const LEASE_MS = 60_000;
const KIND = 'refresh-study';

/** Runs the contract of the queue on an adapter. */
export function jobQueueContract(name: string, open: OpenStores): void {
  describe(`JobQueue: ${name}`, function () {
    this.timeout(30_000);
    const suite = useStores(open);
    const queue = queueOf(suite);
    afterEach(async () => {
      const left = await suite.jobs.list({ limit: 1_000 }, NOW);
      await commitPlan(suite.records, aPlan({ erased: [{ jobs: left }] }));
    });
    askingContract(suite, queue);
    leaseContract(suite, queue);
    settlingContract(suite, queue);
    seeingContract(suite, queue);
  });
}

/** Short words for what the tests do. */
type Queue = {
  ask(...jobs: JobRequest[]): Promise<void>;
  take(now?: number, limit?: number): Promise<readonly TakenJob<typeof KIND>[]>;
  /** Takes the one job that there is. */
  takeOne(now?: number): Promise<TakenJob<typeof KIND>>;
  settle(job: TakenJob, outcome: JobOutcome, now?: number): Promise<boolean>;
  find(subject: string, now?: number): Promise<StandingJob | undefined>;
};

function queueOf(suite: Suite): Queue {
  const take: Queue['take'] = async (now = NOW, limit = 10) =>
    await suite.jobs.take(KIND, { now, leaseMs: LEASE_MS, limit });
  return {
    ask: async (...jobs) => void (await commitPlan(suite.records, aPlan({ jobs }))),
    take,
    takeOne: async (now) => {
      const [job, ...others] = await take(now);
      if (job === undefined || others.length > 0) throw new Error(`${others.length} jobs more than one`);
      return job;
    },
    settle: async (job, outcome, now = NOW) => await suite.jobs.settle(job, now, outcome),
    find: async (subject, now = NOW) =>
      (await suite.jobs.list({ limit: 1_000 }, now)).find((job) => job.subject === subject),
  };
}

function askingContract(suite: Suite, { ask, take, takeOne, settle, find }: Queue): void {
  describe('a job that is asked for', () => {
    it('is durable with its plan, carries what it was given, and is due at its time', async () => {
      const payload = { part: 'frames', further: 3, ended: NOW, persons: [aPersonKey()] };
      const event = anId();
      const job = { id: anId(), kind: 'end-viewing', subject: event, payload, at: NOW + 5, event } as const;
      await ask(job);
      await suite.reopen();
      expect(await suite.jobs.due(NOW + 4)).to.deep.equal([]);
      expect(await suite.jobs.due(NOW + 5)).to.deep.equal(['end-viewing']);
      const [taken] = await suite.jobs.take('end-viewing', { now: NOW + 5, leaseMs: LEASE_MS, limit: 1 });
      expect(taken).to.deep.include({ ...job, attempts: 1, state: 'running', error: undefined });
    });

    it('comes earliest first, at most as many as asked for, of its kind alone', async () => {
      const jobs = [3, 1, 2].map((at) => aJob({ at: NOW + at }));
      const other = aJob({ at: NOW });
      await ask(...jobs, { ...other, kind: 'close-study' });
      expect((await take(NOW + 9, 2)).map(({ at }) => at - NOW)).to.deep.equal([1, 2]);
      expect((await take(NOW + 9, 2)).map(({ at }) => at - NOW)).to.deep.equal([3]);
      expect(await take(NOW + 9)).to.deep.equal([]);
    });

    it('is one for each kind and subject: asked for again it moves, and keeps its id', async () => {
      const job = aJob();
      await ask(job);
      await ask({ ...job, id: anId(), at: NOW + 50 });
      expect(await take(NOW + 49)).to.deep.equal([]);
      expect(await takeOne(NOW + 50)).to.include({ id: job.id, at: NOW + 50 });
    });

    it('is to be done once more when it is asked for while somebody does it', async () => {
      const job = aJob();
      await ask(job);
      const first = await takeOne();
      await ask({ ...job, id: anId(), at: NOW + 10 });
      expect(await take(NOW + 10), 'under lease').to.deep.equal([]);
      expect(await settle(first, { end: 'done' })).to.equal(true);
      expect(await take(NOW + 9)).to.deep.equal([]);
      expect(await takeOne(NOW + 10)).to.include({ id: job.id, attempts: 1 });
    });

    it('is not asked for by a plan that is refused', async () => {
      const job = aJob();
      const preconditions = [{ kind: 'claimed', key: aClaimKey(), value: 'held' } as const];
      await expectFault(commitPlan(suite.records, aPlan({ jobs: [job], preconditions })), 'conflict');
      expect(await find(job.subject)).to.equal(undefined);
    });

    it('is refused when it carries more than ids', async () => {
      const subject = 'x'.repeat(JOB_LIMITS.subject + 1);
      await expectFault(commitPlan(suite.records, aPlan({ jobs: [aJob({ subject })] })), 'too-long');
      expect(await find(subject)).to.equal(undefined);
    });

    it('is taken and listed a whole number at a time, and not too many', async () => {
      for (const limit of [0, -1, 0.5, Number.NaN, MAX_PAGE + 1]) {
        const message = `A page has 1 to ${MAX_PAGE} entries`;
        for (const work of [take(NOW, limit), suite.jobs.list({ limit }, NOW)])
          expect(await expectFault(work, 'invalid')).to.include({ expression: 'limit', message });
      }
    });

    it('is told of in the process that asked for it, when it is durable', async () => {
      const told: string[] = [];
      suite.jobs.onAsked((jobs) => told.push(...jobs.map(({ subject }) => subject)));
      const job = aJob();
      await ask(job);
      expect(told).to.deep.equal([job.subject]);
      expect(await find(job.subject)).to.include({ id: job.id, state: 'waiting' });
    });
  });
}

function leaseContract(suite: Suite, { ask, take, takeOne, settle, find }: Queue): void {
  describe('a lease', () => {
    it('keeps a job from others, and ends by itself: then another token holds it', async () => {
      await ask(aJob());
      const first = await takeOne();
      const end = NOW + LEASE_MS;
      expect(await take(end - 1)).to.deep.equal([]);
      expect(await suite.jobs.due(end - 1)).to.deep.equal([]);
      expect(await suite.jobs.due(end)).to.deep.equal([KIND]);
      const second = await takeOne(end);
      expect(second).to.include({ id: first.id, attempts: 2 });
      expect(second.token).to.be.greaterThan(first.token);
    });

    it('that was taken over settles nothing, and is not made longer', async () => {
      const job = aJob();
      await ask(job);
      const first = await takeOne();
      const later = NOW + LEASE_MS;
      const second = await takeOne(later);
      const outcomes: JobOutcome[] = [
        { end: 'done' },
        { end: 'again', at: later },
        { end: 'failed', at: later, error: 'transient' },
        { end: 'dead', error: 'transient' },
        { end: 'returned' },
      ];
      for (const outcome of outcomes) expect(await settle(first, outcome, later), outcome.end).to.equal(false);
      expect(await suite.jobs.extend(first, later, later + LEASE_MS)).to.equal(false);
      expect(await find(job.subject, later)).to.include({ state: 'running', attempts: 2 });
      expect(await settle(second, { end: 'done' }, later)).to.equal(true);
      expect(await find(job.subject)).to.equal(undefined);
    });

    it('that ran out settles nothing, even when nobody took the job over', async () => {
      const job = aJob();
      await ask(job);
      const taken = await takeOne();
      expect(await settle(taken, { end: 'done' }, NOW + LEASE_MS)).to.equal(false);
      expect(await find(job.subject, NOW + LEASE_MS)).to.include({ state: 'waiting' });
    });

    it('on a job that was erased and asked for anew settles nothing of the new one', async () => {
      const job = aJob();
      await ask(job);
      const taken = await takeOne();
      await commitPlan(suite.records, aPlan({ erased: [{ jobs: [job] }] }));
      const anew = { ...job, id: anId() };
      await ask(anew);
      await takeOne();
      expect(await settle(taken, { end: 'done' })).to.equal(false);
      expect(await find(job.subject)).to.include({ id: anew.id, state: 'running' });
    });

    it('lasts as long as it is made to', async () => {
      await ask(aJob());
      const taken = await takeOne();
      const end = NOW + 2 * LEASE_MS;
      expect(await suite.jobs.extend(taken, NOW + 1, end)).to.equal(true);
      expect(await take(end - 1)).to.deep.equal([]);
      expect(await settle(taken, { end: 'done' }, end - 1)).to.equal(true);
    });

    it('is given to one of many who take at once', async () => {
      const jobs = Array.from({ length: 12 }, () => aJob());
      await ask(...jobs);
      const taken = (await Promise.all(Array.from({ length: 6 }, async () => await take(NOW, 4)))).flat();
      expect(taken.map(({ subject }) => subject)).to.have.members(jobs.map(({ subject }) => subject));
    });
  });
}

function settlingContract(suite: Suite, { ask, take, takeOne, settle, find }: Queue): void {
  describe('a job that is settled', () => {
    it('is gone when it is done', async () => {
      const job = aJob();
      await ask(job);
      expect(await settle(await takeOne(), { end: 'done' })).to.equal(true);
      expect(await find(job.subject)).to.equal(undefined);
    });

    it('waits for its next time when it is to be done again, its attempts forgotten', async () => {
      await ask(aJob());
      await settle(await takeOne(), { end: 'again', at: NOW + 70 });
      expect(await take(NOW + 69)).to.deep.equal([]);
      expect(await takeOne(NOW + 70)).to.include({ attempts: 1 });
    });

    it('waits after a failure, and counts', async () => {
      const job = aJob();
      await ask(job);
      await settle(await takeOne(), { end: 'failed', at: NOW + 70, error: 'no-store' });
      expect(await find(job.subject)).to.include({ state: 'waiting', attempts: 1, error: 'no-store', at: NOW + 70 });
      expect(await take(NOW + 69)).to.deep.equal([]);
      expect(await takeOne(NOW + 70)).to.include({ attempts: 2, error: 'no-store' });
    });

    it('keeps the time of what was asked for meanwhile when it fails', async () => {
      const job = aJob();
      await ask(job);
      const taken = await takeOne();
      await ask({ ...job, at: NOW + 10 });
      await settle(taken, { end: 'failed', at: NOW + 70, error: 'transient' });
      expect(await takeOne(NOW + 10)).to.include({ attempts: 2 });
    });

    it('stands as it was when it is given back', async () => {
      const job = aJob();
      await ask(job);
      await settle(await takeOne(), { end: 'returned' });
      expect(await find(job.subject)).to.include({ state: 'waiting', attempts: 0, at: NOW });
      expect(await takeOne()).to.include({ attempts: 1 });
    });

    it('that is dead is taken by nobody, until it is asked for again', async () => {
      const job = aJob();
      await ask(job);
      await settle(await takeOne(), { end: 'dead', error: 'exception' });
      expect(await find(job.subject)).to.include({ id: job.id, state: 'dead', attempts: 1, error: 'exception' });
      expect(await take(NOW + 365 * 86_400_000)).to.deep.equal([]);
      await suite.reopen();
      expect(await find(job.subject)).to.include({ state: 'dead' });
      await ask(job);
      expect(await takeOne()).to.include({ id: job.id, attempts: 1, error: undefined });
    });

    it('does not die when it was asked for meanwhile', async () => {
      const job = aJob();
      await ask(job);
      const taken = await takeOne();
      await ask({ ...job, at: NOW + 10 });
      expect(await settle(taken, { end: 'dead', error: 'exception' })).to.equal(true);
      expect(await takeOne(NOW + 10)).to.include({ attempts: 1 });
    });
  });
}

function seeingContract(suite: Suite, { ask, take, takeOne, settle }: Queue): void {
  describe('what is seen of the jobs', () => {
    it('are the counts of every kind, and the time of the one that has waited longest', async () => {
      const none = { waiting: 0, running: 0, later: 0, dead: 0, oldest: undefined };
      expect(await suite.jobs.counts(NOW)).to.deep.equal(JOB_KINDS.map((kind) => ({ kind, ...none })));
      const dead = aJob();
      await ask(dead);
      await settle(await takeOne(), { end: 'dead', error: 'exception' });
      await ask(aJob({ at: NOW - 90 }));
      await take(NOW, 1);
      await ask(aJob({ at: NOW - 70 }), aJob({ at: NOW - 80 }), aJob({ at: NOW + 1 }));
      const counts = (await suite.jobs.counts(NOW)).find(({ kind }) => kind === KIND);
      expect(counts).to.deep.equal({ kind: KIND, waiting: 2, running: 1, later: 1, dead: 1, oldest: NOW - 80 });
    });

    it('are jobs by kind and subject, page by page, of a kind, an id or the dead alone', async () => {
      const subjects = ['c', 'a', 'b'].map((letter) => `${letter}-${anId()}`);
      const kinds: JobKind[] = ['refresh-study', 'close-study'];
      await ask(...kinds.flatMap((kind) => subjects.map((subject) => ({ ...aJob({ subject }), kind }) as JobRequest)));
      const all = await suite.jobs.list({ limit: 10 }, NOW);
      const keys = all.map(({ kind, subject }) => `${kind} ${subject}`);
      expect(keys).to.have.length(6).and.deep.equal(keys.toSorted());
      const [, second, third] = all;
      expect(await suite.jobs.list({ limit: 1, ...(second && { after: second }) }, NOW)).to.deep.equal([third]);
      expect((await suite.jobs.list({ kind: KIND, limit: 10 }, NOW)).map(({ subject }) => subject)).to.deep.equal(
        subjects.toSorted(),
      );
      expect(await suite.jobs.list({ id: third?.id ?? '', limit: 10 }, NOW)).to.deep.equal([third]);
      expect(await suite.jobs.list({ isDead: true, limit: 10 }, NOW)).to.deep.equal([]);
    });
  });
}
