/** Jobs as a plan asks for them and erases them. */
import type { AnyBulkWriteOperation, ClientSession, Document } from 'mongodb';
import { payloadText, type JobKey, type JobRequest } from '../../../ports/job-queue.ts';
import { jobIdTaken } from '../../refused.ts';
import type { Collections } from '../collections.ts';
import type { JobDocument } from '../documents.ts';

/** The `_id` of a job. */
export function jobKey({ kind, subject }: JobKey): string {
  return `${kind}|${subject}`;
}

/** A stage after those that change `at` or `until`: when the job can be taken. */
export const SET_NEXT: Document = { $set: { next: { $max: ['$at', '$until'] } } };

/**
 * Asks for jobs. One that is asked for as it waits already stays as it is. `now` is epoch milliseconds. The first
 * attempt takes the ids for free, which costs less: one that another job has ends it.
 * @throws {Fault} conflict - another job has the id of one
 */
export async function putJobs(
  { jobs }: Collections,
  asked: readonly JobRequest[],
  now: number,
  { session, attempt }: { readonly session: ClientSession; readonly attempt: number },
): Promise<void> {
  if (attempt > 1 && asked.length > 0) {
    const ids = { id: { $in: asked.map(({ id }) => id) } };
    const standing = await jobs.find(ids, { session, projection: { kind: 1, subject: 1, id: 1 } }).toArray();
    requireOneEach([...standing, ...asked]);
  }
  const operations = asked.map((job): AnyBulkWriteOperation<JobDocument> => ({
    updateOne: { filter: { _id: jobKey(job) }, update: putOf(job, now), upsert: true },
  }));
  if (operations.length > 0) await jobs.bulkWrite(operations, { session });
}

function requireOneEach(jobs: readonly (JobKey & { readonly id: string })[]): void {
  const keys = new Map<string, string>();
  for (const job of jobs) {
    if ((keys.get(job.id) ?? jobKey(job)) !== jobKey(job)) throw jobIdTaken();
    keys.set(job.id, jobKey(job));
  }
}

function putOf(job: JobRequest, now: number): Document[] {
  const { id, kind, subject, at, event } = job;
  const isDead = { $ifNull: ['$isDead', false] };
  const isHeld = { $gt: [{ $ifNull: ['$until', 0] }, 0] };
  return [
    {
      $set: {
        kind: { $literal: kind },
        subject: { $literal: subject },
        id: { $ifNull: ['$id', id] },
        payload: { $literal: payloadText(job) },
        event: event === undefined ? { $ifNull: ['$event', null] } : { $literal: event },
        at,
        askedAt: { $ifNull: ['$askedAt', now] },
        asked: { $add: [{ $ifNull: ['$asked', 1] }, { $cond: [isHeld, 1, 0] }] },
        attempts: { $cond: [isDead, 0, { $ifNull: ['$attempts', 0] }] },
        error: { $cond: [isDead, null, { $ifNull: ['$error', null] }] },
        isDead: false,
        token: { $ifNull: ['$token', 0] },
        until: { $ifNull: ['$until', 0] },
      },
    },
    SET_NEXT,
  ];
}

/** Erases jobs, whatever their state. */
export async function eraseJobs({ jobs }: Collections, keys: readonly JobKey[], session: ClientSession): Promise<void> {
  if (keys.length > 0) await jobs.deleteMany({ _id: { $in: keys.map(jobKey) } }, { session });
}
