/** JobQueue on MongoDB: a job is one document, and taken by one statement, whatever the number of servers. */
import type { Document } from 'mongodb';
import { requirePage } from '../../ports/bounds.ts';
import {
  earliestFirst,
  JOB_KINDS,
  settled,
  type JobCounts,
  type JobKind,
  type JobLease,
  type JobOutcome,
  type JobQueue,
  type JobRequest,
  type JobsAsked,
  type StandingJob,
  type TakenJob,
} from '../../ports/job-queue.ts';
import type { Collections } from './collections.ts';
import type { JobDocument } from './documents.ts';
import { asStore } from './errors.ts';
import { jobKey, SET_NEXT } from './write/jobs.ts';

type CountDocument = Omit<JobCounts, 'kind' | 'oldest'> & { readonly _id: JobKind; readonly oldest: number | null };

/** The adapter. */
export class MongoJobQueue implements JobQueue {
  readonly #jobs: Collections['jobs'];
  readonly #listeners: ((jobs: readonly JobRequest[]) => void)[] = [];

  constructor({ jobs }: Collections) {
    this.#jobs = jobs;
  }

  /** Asks whether there is any before it asks for each kind. */
  async due(now: number): Promise<readonly JobKind[]> {
    const isAny = async (kind?: JobKind): Promise<boolean> => {
      const filter = { isDead: false, ...(kind === undefined ? {} : { kind }), next: { $lte: now } };
      return (await this.#jobs.findOne(filter, { projection: { _id: 1 } })) !== null;
    };
    return await asStore(async () => {
      if (!(await isAny())) return [];
      const found = await Promise.all(JOB_KINDS.map(async (kind) => ({ kind, isDue: await isAny(kind) })));
      return found.filter(({ isDue }) => isDue).map(({ kind }) => kind);
    });
  }

  async take<K extends JobKind>(
    kind: K,
    { now, leaseMs, limit }: { readonly now: number; readonly leaseMs: number; readonly limit: number },
  ): Promise<readonly TakenJob<K>[]> {
    requirePage(limit, 'limit');
    const filter = { isDead: false, kind, next: { $lte: now } } as const;
    const more = (name: string): Document => ({ $add: [name, 1] });
    const change = { token: more('$token'), attempts: more('$attempts'), until: now + leaseMs };
    const taken: TakenJob<K>[] = [];
    while (taken.length < limit) {
      const job = await asStore(() =>
        this.#jobs.findOneAndUpdate(filter, [{ $set: change }, SET_NEXT], {
          sort: { next: 1 },
          returnDocument: 'after',
        }),
      );
      if (job === null) break;
      taken.push({ ...standing(job, now), token: job.token, asked: job.asked } as TakenJob<K>);
    }
    return taken.toSorted(earliestFirst);
  }

  async extend(job: JobLease, now: number, until: number): Promise<boolean> {
    const { matchedCount } = await asStore(() =>
      this.#jobs.updateOne(heldBy(job, now), [{ $set: { until } }, SET_NEXT]),
    );
    return matchedCount === 1;
  }

  async settle(job: JobLease, now: number, outcome: JobOutcome): Promise<boolean> {
    const unasked = { ...heldBy(job, now), asked: job.asked };
    return await asStore(async () => {
      if (outcome.end === 'done' && (await this.#jobs.deleteOne(unasked)).deletedCount === 1) return true;
      const { at, attempts, error = null, isDead } = settled(job, outcome);
      const after = [{ $set: { until: 0, at, attempts, error, isDead } }, SET_NEXT];
      if ((await this.#jobs.updateOne(unasked, after)).matchedCount === 1) return true;
      const alive = isDead ? { error: null, attempts: 0 } : { error, attempts };
      return (
        (await this.#jobs.updateOne(heldBy(job, now), [{ $set: { until: 0, ...alive } }, SET_NEXT])).matchedCount === 1
      );
    });
  }

  async counts(now: number): Promise<readonly JobCounts[]> {
    const group = { $group: { _id: '$kind', ...countsAt(now) } };
    const found = await asStore(() => this.#jobs.aggregate<CountDocument>([group]).toArray());
    const byKind = new Map(found.map((one) => [one._id, one]));
    return JOB_KINDS.map((kind) => {
      const { waiting = 0, running = 0, later = 0, dead = 0, oldest } = byKind.get(kind) ?? {};
      return { kind, waiting, running, later, dead, oldest: oldest ?? undefined };
    });
  }

  async list({ kind, id, isDead, after, limit }: JobsAsked, now: number): Promise<readonly StandingJob[]> {
    requirePage(limit, 'limit');
    const filter = {
      ...(kind === undefined ? {} : { kind }),
      ...(id === undefined ? {} : { id }),
      ...(isDead === undefined ? {} : { isDead }),
      ...(after === undefined ? {} : { _id: { $gt: jobKey(after) } }),
    };
    const found = await asStore(() => this.#jobs.find(filter).sort({ _id: 1 }).limit(limit).toArray());
    return found.map((job) => standing(job, now));
  }

  onAsked(listener: (jobs: readonly JobRequest[]) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells of jobs that a commit asked for. */
  tell(jobs: readonly JobRequest[]): void {
    if (jobs.length > 0) for (const listener of this.#listeners) listener(jobs);
  }
}

function heldBy({ kind, subject, id, token }: JobLease, now: number) {
  return { _id: jobKey({ kind, subject }), id, token, until: { $gt: now } };
}

function countsAt(now: number): Document {
  const [isAlive, isHeld] = [{ $not: ['$isDead'] }, { $gt: ['$until', now] }];
  const isDue = { $and: [isAlive, { $lte: ['$next', now] }] };
  const sum = (condition: Document): Document => ({ $sum: { $cond: [condition, 1, 0] } });
  return {
    dead: { $sum: { $cond: ['$isDead', 1, 0] } },
    running: sum({ $and: [isAlive, isHeld] }),
    waiting: sum(isDue),
    later: sum({ $and: [isAlive, { $not: [isHeld] }, { $gt: ['$at', now] }] }),
    oldest: { $min: { $cond: [isDue, '$at', null] } },
  };
}

function standing(job: JobDocument, now: number): StandingJob {
  const { kind, subject, id, at, askedAt, attempts, error, event } = job;
  return {
    kind,
    subject,
    id,
    payload: JSON.parse(job.payload) as object,
    at,
    ...(event === null ? {} : { event }),
    state: stateOf(job, now),
    askedAt,
    attempts,
    error: error ?? undefined,
  } as StandingJob;
}

function stateOf({ isDead, until }: JobDocument, now: number): StandingJob['state'] {
  if (isDead) return 'dead';
  return until > now ? 'running' : 'waiting';
}
