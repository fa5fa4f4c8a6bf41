/**
 * Runs the jobs of one kind, so many at a time. A job that gives no sign of life for the length of its lease has failed
 * and makes room, whatever it is still doing.
 */
import { Fault, toFault } from '../../../profiles/fault.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobError, JobKind, JobOutcome, JobQueue, TakenJob } from '../../ports/job-queue.ts';
import { pauseAfter, type JobPolicy } from './job-policies.ts';

/** A job that runs. */
export type JobRun = {
  /**
   * A sign of life, to be given between the steps of what takes long.
   * @throws {Fault} transient - the server stops, or the job has been given to another: what is done stays, and the job
   * goes on with the rest later
   */
  goOn(): Promise<void>;
};

/** What a kind of job does; it may run again after it was cut short. Resolves with a time when it is to run again. */
export type JobWork<K extends JobKind> = (
  job: TakenJob<K>,
  run: JobRun,
) => Promise<{ readonly againAt: number } | void>;

/** What a runner needs. */
export type JobRunnerDeps<K extends JobKind> = {
  readonly kind: K;
  readonly work: JobWork<K>;
  readonly policy: JobPolicy;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly log: Log;
};

/** So much of a lease is left when a job is taken for hung: enough to say so. */
const TELLING = 0.1;

/** The runner. */
export class JobRunner<K extends JobKind> {
  readonly #deps: JobRunnerDeps<K>;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #givingUp = Promise.withResolvers<JobOutcome>();
  #taking: Promise<void> | undefined;
  /** Whether there may be jobs that there was no room for. */
  #isMore = false;

  constructor(deps: JobRunnerDeps<K>) {
    this.#deps = deps;
  }

  /** Takes as many jobs as there is room for; resolves when they have begun. */
  async take(): Promise<void> {
    this.#isMore = true;
    this.#taking ??= this.#takeMore().finally(() => (this.#taking = undefined));
    await this.#taking;
  }

  /** Resolves when what was taken has ended. */
  async idle(): Promise<void> {
    while (this.#taking !== undefined || this.#running.size > 0)
      await Promise.allSettled([this.#taking, ...this.#running]);
  }

  /** Takes no more, lets what runs end for a while, and gives the rest back. */
  async stop(graceMs: number): Promise<void> {
    await this.#taking?.catch(() => undefined);
    this.#stopping.abort();
    const late = setTimeout(() => this.#givingUp.resolve({ end: 'returned' }), graceMs);
    await this.idle();
    clearTimeout(late);
  }

  async #takeMore(): Promise<void> {
    const { kind, policy, queue, clock } = this.#deps;
    while (this.#isMore && !this.#stopping.signal.aborted) {
      const limit = policy.concurrency - this.#running.size;
      if (limit <= 0) return;
      this.#isMore = false;
      const jobs = await queue.take(kind, { now: clock.now(), leaseMs: policy.leaseMs, limit });
      if (jobs.length === limit) this.#isMore = true;
      for (const job of jobs) this.#begin(job);
    }
  }

  #begin(job: TakenJob<K>): void {
    const { log, kind } = this.#deps;
    const run = this.#run(job)
      .catch((error: unknown) => log.warn({ kind, job: job.id, err: error }, 'what became of a job could not be kept'))
      .finally(() => {
        this.#running.delete(run);
        // The next look tries again.
        if (this.#isMore) void this.take().catch(() => undefined);
      });
    this.#running.add(run);
  }

  async #run(job: TakenJob<K>): Promise<void> {
    const { queue, clock, log, kind, policy } = this.#deps;
    const outcome = job.attempts > policy.attempts ? this.#failed(job, 'lost') : await this.#outcomeOf(job);
    const isKept = await queue.settle(job, clock.now(), outcome);
    if (!isKept) log.debug({ kind, job: job.id }, 'a job ended that was taken over or dropped meanwhile');
  }

  async #outcomeOf(job: TakenJob<K>): Promise<JobOutcome> {
    const { policy, work } = this.#deps;
    const hung = Promise.withResolvers<JobOutcome>();
    const deadline = setTimeout(() => hung.resolve(this.#failed(job, 'hung')), policy.leaseMs * (1 - TELLING));
    const over = new AbortController();
    const goOn = async (): Promise<void> => {
      if (this.#stopping.signal.aborted || over.signal.aborted) throw new Fault('transient', 'The job is to end');
      await this.#extend(job);
      deadline.refresh();
    };
    const working = (async () => await work(job, { goOn }))().then(
      (result): JobOutcome => (result === undefined ? { end: 'done' } : { end: 'again', at: result.againAt }),
      (error: unknown) => this.#ended(job, error),
    );
    try {
      return await Promise.race([working, hung.promise, this.#givingUp.promise]);
    } finally {
      over.abort();
      clearTimeout(deadline);
    }
  }

  async #extend(job: TakenJob<K>): Promise<void> {
    const { queue, clock, policy } = this.#deps;
    const now = clock.now();
    if (!(await queue.extend(job, now, now + policy.leaseMs)))
      throw new Fault('transient', 'The job was taken over or dropped');
  }

  #ended(job: TakenJob<K>, error: unknown): JobOutcome {
    return this.#stopping.signal.aborted ? { end: 'returned' } : this.#failed(job, toFault(error).kind, error);
  }

  #failed(job: TakenJob<K>, why: JobError, error?: unknown): JobOutcome {
    const { kind, log, policy, clock } = this.#deps;
    const told = {
      kind,
      job: job.id,
      attempts: job.attempts,
      error: why,
      ...(error === undefined ? {} : { err: error }),
    };
    if (job.attempts >= policy.attempts) {
      log.error(told, 'a job is dead: npm run jobs -- replay runs it again');
      return { end: 'dead', error: why };
    }
    log.warn(told, 'a job failed and will be tried again');
    return { end: 'failed', at: clock.now() + pauseAfter(policy, job.attempts), error: why };
  }
}
