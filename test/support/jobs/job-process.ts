/**
 * A process that runs jobs on a store, as a server does: `node job-process.ts PLACE hang|run`. PLACE is a data folder
 * or the URI of a MongoDB database. It writes `begun ID` for each job; with `hang` no job ends.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { JOB_POLICIES } from '../../../server/flows/jobs/job-policies.ts';
import { JobRunners, type JobTable } from '../../../server/flows/jobs/run-jobs.ts';
import { systemClock } from '../../../server/ports/clock.ts';
import { JOB_KINDS } from '../../../server/ports/job-queue.ts';
import { openMongoStores } from '../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';

const [place = '', mode = 'run'] = process.argv.slice(2);
const stores = await (place.startsWith('mongodb')
  ? openMongoStores({ uri: place })
  : openSqliteStores({ dataDir: place }));

async function work({ id }: { readonly id: string }): Promise<void> {
  process.stdout.write(`begun ${id}\n`);
  if (mode === 'hang') await new Promise(() => undefined);
}

const runners = new JobRunners({
  queue: stores.jobs,
  clock: systemClock,
  log: { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined },
  work: Object.fromEntries(JOB_KINDS.map((kind) => [kind, work])) as unknown as JobTable,
  policies: JOB_POLICIES,
});
// One look after the other: a store that is slow is not asked faster than it answers.
for (;;) {
  await runners.look();
  await pause(20);
}
