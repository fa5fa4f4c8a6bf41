/** What an operator does about jobs: sees them, runs dead ones again, drops one. What changes leaves an AuditEvent. */
import { Fault } from '../../../profiles/fault.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import {
  JOB_KINDS,
  type JobError,
  type JobKind,
  type JobQueue,
  type JobRequest,
  type StandingJob,
} from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { joinParts } from '../write/plan-parts.ts';
import { systemWarrant } from '../../access/system-warrant.ts';

const ASKING = systemWarrant('ask-for-work', 'operator');

/** What the stories need. */
export type OperateJobsDeps = { readonly records: RecordStore; readonly queue: JobQueue; readonly clock: Clock };

/** A job as an operator sees it: nothing in it names a patient. */
export type ListedJob = {
  readonly kind: JobKind;
  readonly id: string;
  readonly state: StandingJob['state'];
  readonly attempts: number;
  /** Since it was asked for first. */
  readonly ageSeconds: number;
  /** Until it may run; 0 or less when it may. */
  readonly dueInSeconds: number;
  readonly error: JobError | undefined;
  /** Id of the AuditEvent of the passage that asked for it. */
  readonly event: string | undefined;
};

/** Which dead jobs: one by its id, or all of a kind. */
export type DeadJobs = { readonly id: string } | { readonly kind: string };

const PAGE = 500;

/** Lists jobs of a kind, or of all. @throws {Fault} not-found - there is no such kind */
export function listJobs({ queue, clock }: OperateJobsDeps) {
  return async function* (kind?: string): AsyncGenerator<ListedJob, void> {
    const which = kind === undefined ? {} : { kind: kindNamed(kind) };
    for await (const page of pagesOf({ queue, clock }, which)) for (const job of page) yield listed(job, clock.now());
  };
}

/**
 * Runs dead jobs again, with as many attempts as at first; resolves with their number.
 * @throws {Fault} not-found - there is no such dead job, or no such kind
 */
export function replayJobs(deps: OperateJobsDeps) {
  return async (which: DeadJobs): Promise<number> => {
    let replayed = 0;
    const of = 'kind' in which ? { kind: kindNamed(which.kind) } : which;
    for await (const page of pagesOf(deps, { ...of, isDead: true })) {
      const at = deps.clock.now();
      const jobs = page.map((job) => askedAgain(job, at));
      await deps.records.commit(ASKING, joinParts({ jobs, audit: [eventOf(deps.clock, 'replay', page)] }));
      replayed += page.length;
    }
    if (replayed === 0) throw new Fault('not-found', 'There is no such dead job');
    return replayed;
  };
}

/**
 * Drops a job: what it was to do is not done.
 * @throws {Fault} not-found - there is no such job
 */
export function dropJob(deps: OperateJobsDeps) {
  return async (id: string): Promise<void> => {
    const [job] = await deps.queue.list({ id, limit: 1 }, deps.clock.now());
    if (job === undefined) throw new Fault('not-found', 'There is no such job');
    const { kind, subject } = job;
    await deps.records.commit(
      ASKING,
      joinParts({ erased: [{ jobs: [{ kind, subject }] }], audit: [eventOf(deps.clock, 'drop', [job])] }),
    );
  };
}

function kindNamed(name: string): JobKind {
  const kind = JOB_KINDS.find((one) => one === name);
  if (kind === undefined) throw new Fault('not-found', `The kinds of jobs are ${JOB_KINDS.join(', ')}`);
  return kind;
}

/** Pages of jobs, as they stand when their turn comes. */
async function* pagesOf(
  { queue, clock }: Pick<OperateJobsDeps, 'queue' | 'clock'>,
  which: { readonly kind?: JobKind; readonly id?: string; readonly isDead?: true },
): AsyncGenerator<readonly StandingJob[], void> {
  for (let after: StandingJob | undefined; ;) {
    const page = await queue.list({ ...which, ...(after === undefined ? {} : { after }), limit: PAGE }, clock.now());
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    after = page.at(-1);
  }
}

function listed({ kind, id, state, attempts, askedAt, at, error, event }: StandingJob, now: number): ListedJob {
  const seconds = (ms: number): number => Math.round(ms / 1_000);
  return {
    kind,
    id,
    state,
    attempts,
    ageSeconds: seconds(now - askedAt),
    dueInSeconds: seconds(at - now),
    error,
    event,
  };
}

function askedAgain({ id, kind, subject, payload, event }: StandingJob, at: number): JobRequest {
  return { id, kind, subject, payload, at, ...(event === undefined ? {} : { event }) } as JobRequest;
}

/** Of no patient: an id of a job tells its subject to nobody. */
function eventOf(clock: Clock, action: 'replay' | 'drop', jobs: readonly StandingJob[]): AuditRecord {
  const counts = Map.groupBy(jobs, ({ kind }) => kind);
  const detail = {
    action,
    ...Object.fromEntries([...counts].map(([kind, of]) => [kind, String(of.length)])),
    ...(jobs.length === 1 ? { job: jobs[0]?.id ?? '' } : {}),
  };
  return recordOf(clock, ownOccasion('operator'), 'operate-jobs', { entities: [{ detail }] });
}
