/** How jobs are, for monitoring: counts of each kind, and what people must look at. Nothing names a patient. */
import type { Clock } from '../../ports/clock.ts';
import type { JobCounts, JobQueue } from '../../ports/job-queue.ts';
import type { Check, Checks } from '../health.ts';

/** A kind is behind when a job of it has been due for so long. */
const BEHIND_MS = 120_000;

/** Counts by kind. `oldestSeconds`: how long the first of those that wait has been due. */
export type JobsReport = Readonly<
  Record<string, Omit<JobCounts, 'kind' | 'oldest'> & { readonly oldestSeconds: number }>
>;

/** Reports every kind. */
export function reportJobs(queue: JobQueue, clock: Clock) {
  return async (): Promise<JobsReport> => {
    const now = clock.now();
    const counts = await queue.counts(now);
    return Object.fromEntries(
      counts.map(({ kind, oldest, ...rest }) => [kind, { ...rest, oldestSeconds: secondsSince(oldest ?? now, now) }]),
    );
  };
}

/**
 * Checks that no job is dead and no kind is behind. Both warn and do not fail: whoever asks the server is answered all
 * the same.
 * @throws {Fault} transient - the store is out of reach
 */
export function jobsHealth(queue: JobQueue, clock: Clock) {
  return async (): Promise<Checks> => {
    const now = clock.now();
    const counts = await queue.counts(now);
    const dead = counts.filter((one) => one.dead > 0);
    const behind = counts.filter(({ oldest }) => oldest !== undefined && isBehind(oldest, now));
    const oldest = Math.min(now, ...counts.map((one) => one.oldest ?? now));
    return {
      'jobs:dead': checkOf(
        dead,
        dead.reduce((sum, one) => sum + one.dead, 0),
        'jobs',
        'Kinds with dead jobs',
      ),
      'jobs:waiting': checkOf(behind, secondsSince(oldest, now), 's', 'Kinds that are behind'),
    };
  };
}

/** Whether a kind whose oldest job has been due since a time is behind. */
export function isBehind(oldest: number, now: number): boolean {
  return now - oldest > BEHIND_MS;
}

/** Whole seconds from a time to another. */
export function secondsSince(time: number, now: number): number {
  return Math.round((now - time) / 1_000);
}

function checkOf(unwell: readonly JobCounts[], observedValue: number, observedUnit: string, what: string): Check {
  if (unwell.length === 0) return { status: 'pass', observedValue, observedUnit };
  const output = `${what}: ${unwell.map(({ kind }) => kind).join(', ')}`;
  return { status: 'warn', observedValue, observedUnit, output };
}
