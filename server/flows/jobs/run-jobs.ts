/** Runs jobs: one runner a kind, so that what is slow or hangs stops nothing else. */
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports/clock.ts';
import { JOB_KINDS, type JobKind, type JobQueue, type JobRequest } from '../../ports/job-queue.ts';
import type { JobPolicies } from './job-policies.ts';
import { JobRunner, type JobWork } from './job-runner.ts';
import { isBehind, secondsSince } from './jobs-health.ts';

/** What each kind of job does. */
export type JobTable = { readonly [K in JobKind]: JobWork<K> };

/** What running jobs needs. */
export type RunJobsDeps = {
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly log: Log;
  readonly work: JobTable;
  readonly policies: JobPolicies;
};

/** Running jobs stop within so long; what does not is given back. */
const GRACE_MS = 5_000;

type Runner = Pick<JobRunner<JobKind>, 'take' | 'idle' | 'stop'>;

/** The runners of this server. */
export class JobRunners {
  readonly #deps: RunJobsDeps;
  readonly #runners: ReadonlyMap<JobKind, Runner>;

  constructor(deps: RunJobsDeps) {
    this.#deps = deps;
    this.#runners = new Map(JOB_KINDS.map((kind) => [kind, runnerOf(deps, kind)]));
  }

  /** From now on jobs that a commit of this process asks for are taken when they are due at once. */
  follow(): void {
    this.#deps.queue.onAsked((jobs) => this.#wake(jobs));
  }

  /** Takes what is due, as far as there is room; resolves when it has begun. */
  async look(): Promise<void> {
    const { queue, clock } = this.#deps;
    const due = await queue.due(clock.now());
    await Promise.all(due.map(async (kind) => await this.#runners.get(kind)?.take()));
  }

  /** Resolves when what was taken has ended. */
  async idle(): Promise<void> {
    for (const runner of this.#runners.values()) await runner.idle();
  }

  /** Takes no more; running jobs end, or are given back after `graceMs`. */
  async stop(graceMs = GRACE_MS): Promise<void> {
    await Promise.all([...this.#runners.values()].map(async (runner) => await runner.stop(graceMs)));
  }

  /** Logs a line for each kind that is behind. */
  async tellBehind(): Promise<void> {
    const { queue, clock, log } = this.#deps;
    const now = clock.now();
    for (const { kind, oldest, ...counts } of await queue.counts(now))
      if (oldest !== undefined && isBehind(oldest, now))
        log.warn({ kind, ...counts, oldestSeconds: secondsSince(oldest, now) }, 'jobs are behind');
  }

  #wake(jobs: readonly JobRequest[]): void {
    const { clock, log } = this.#deps;
    const now = clock.now();
    for (const kind of new Set(jobs.flatMap((job) => (job.at <= now ? job.kind : []))))
      void this.#runners
        .get(kind)
        ?.take()
        .catch((error: unknown) => log.warn({ kind, err: error }, 'jobs could not be taken'));
  }
}

function runnerOf<K extends JobKind>({ queue, clock, log, work, policies }: RunJobsDeps, kind: K): Runner {
  return new JobRunner<K>({ kind, work: work[kind], policy: policies[kind], queue, clock, log });
}
