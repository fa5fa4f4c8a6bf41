/** Jobs in tests: run to their end, and what an agenda becomes. */
import type { JobRunners } from '../../../server/flows/jobs/run-jobs.ts';
import type { Clock } from '../../../server/ports/clock.ts';
import type { JobQueue, StandingJob } from '../../../server/ports/job-queue.ts';

/** Runs what is due, and what that asks for, until nothing is due. */
export async function runJobs(runners: JobRunners, queue: JobQueue, clock: Clock): Promise<void> {
  do {
    await runners.look();
    await runners.idle();
  } while ((await queue.due(clock.now())).length > 0);
}

/** Whether jobs are those of an agenda of `refresh`, `update`, `close`, `erase` and `forget`, at 0 to 4. */
export function areMigratedJobs(jobs: readonly StandingJob[]): boolean {
  const said = jobs.map(({ kind, subject, at, state, attempts }) => [kind, subject, at, state, attempts].join(' '));
  const expected = [
    'close-study 1.2.2 2 waiting 0',
    'erase-study 1.2.3 3 waiting 0',
    'forget-erased 1.2.4 4 waiting 0',
    'refresh-study 1.2.0 0 waiting 0',
    'update-study 1.2.1 1 waiting 0',
  ];
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  return (
    said.join() === expected.join() &&
    jobs.every(({ id }) => uuid.test(id)) &&
    new Set(jobs.map(({ id }) => id)).size === 5
  );
}
