/** JobQueue on SQLite: leases by the writer thread, counts and lists on this one. */
import { requirePage } from '../../ports/bounds.ts';
import {
  earliestFirst,
  JOB_KINDS,
  type JobCounts,
  type JobError,
  type JobKind,
  type JobLease,
  type JobOutcome,
  type JobQueue,
  type JobRequest,
  type JobsAsked,
  type StandingJob,
  type TakenJob,
} from '../../ports/job-queue.ts';
import type { Database } from './database.ts';
import type { JobRow, RecordOrders } from './write/protocol.ts';
import type { Writer } from './write/writer.ts';

/** One look in the index for each kind. */
const DUE = `SELECT k.value AS kind FROM json_each('${JSON.stringify(JOB_KINDS)}') k
  WHERE EXISTS (SELECT 1 FROM job WHERE kind = k.value AND is_dead = 0 AND next <= ?)`;

const COUNTS = `
  SELECT kind, sum(is_dead) AS dead, sum(NOT is_dead AND until > ?1) AS running,
    sum(NOT is_dead AND next <= ?1) AS waiting, sum(NOT is_dead AND until <= ?1 AND at > ?1) AS later,
    min(iif(NOT is_dead AND next <= ?1, at, NULL)) AS oldest FROM job GROUP BY kind`;

const LIST = `
  SELECT * FROM job WHERE (kind, subject) > (?, ?) AND (? IS NULL OR kind = ?) AND (? IS NULL OR id = ?)
    AND (? IS NULL OR is_dead) ORDER BY kind, subject LIMIT ?`;

type CountRow = Omit<JobCounts, 'oldest'> & { readonly oldest: number | null };

/** The adapter. */
export class SqliteJobQueue implements JobQueue {
  readonly #records: Database;
  readonly #writer: Writer<RecordOrders>;
  readonly #listeners: ((jobs: readonly JobRequest[]) => void)[] = [];

  constructor(records: Database, writer: Writer<RecordOrders>) {
    this.#records = records;
    this.#writer = writer;
  }

  async due(now: number): Promise<readonly JobKind[]> {
    return this.#records.all<{ kind: JobKind }>(DUE, now).map(({ kind }) => kind);
  }

  async take<K extends JobKind>(
    kind: K,
    wanted: { readonly now: number; readonly leaseMs: number; readonly limit: number },
  ): Promise<readonly TakenJob<K>[]> {
    requirePage(wanted.limit, 'limit');
    const rows = await this.#writer.send('jobsTake', { kind, ...wanted });
    return rows
      .toSorted(earliestFirst)
      .map((row) => ({ ...standing(row, wanted.now), token: row.token, asked: row.asked }) as TakenJob<K>);
  }

  extend(lease: JobLease, now: number, until: number): Promise<boolean> {
    return this.#writer.send('jobExtend', { lease, now, until });
  }

  settle(lease: JobLease, now: number, outcome: JobOutcome): Promise<boolean> {
    return this.#writer.send('jobSettle', { lease, now, outcome });
  }

  async counts(now: number): Promise<readonly JobCounts[]> {
    const rows = new Map(this.#records.all<CountRow>(COUNTS, now).map((row) => [row.kind, row]));
    return JOB_KINDS.map((kind) => {
      const { waiting = 0, running = 0, later = 0, dead = 0, oldest } = rows.get(kind) ?? {};
      return { kind, waiting, running, later, dead, oldest: oldest ?? undefined };
    });
  }

  async list({ kind, id, isDead, after, limit }: JobsAsked, now: number): Promise<readonly StandingJob[]> {
    requirePage(limit, 'limit');
    const [ofKind, ofId, ofDead] = [kind ?? null, id ?? null, isDead === true ? 1 : null];
    const from = [after?.kind ?? '', after?.subject ?? ''] as const;
    return this.#records
      .all<JobRow>(LIST, ...from, ofKind, ofKind, ofId, ofId, ofDead, limit)
      .map((row) => standing(row, now));
  }

  onAsked(listener: (jobs: readonly JobRequest[]) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells of jobs that a commit asked for. */
  tell(jobs: readonly JobRequest[]): void {
    if (jobs.length > 0) for (const listener of this.#listeners) listener(jobs);
  }
}

function standing(row: JobRow, now: number): StandingJob {
  const { kind, subject, id, at, attempts } = row;
  return {
    kind,
    subject,
    id,
    payload: JSON.parse(row.payload) as object,
    at,
    ...(row.event === null ? {} : { event: row.event }),
    state: stateOf(row, now),
    askedAt: row.asked_at,
    attempts,
    error: (row.error ?? undefined) as JobError | undefined,
  } as StandingJob;
}

function stateOf({ is_dead: isDead, until }: JobRow, now: number): StandingJob['state'] {
  if (isDead === 1) return 'dead';
  return until > now ? 'running' : 'waiting';
}
