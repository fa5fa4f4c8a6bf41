/** Asking for a job in a plan. */
import type { JobKind, JobPayloads, JobRequest, NoPayload } from '../../ports/job-queue.ts';
import { newId } from '../new-id.ts';

const NONE: NoPayload = {};

/** Kinds whose subject says all. */
type BareKind = { [K in JobKind]: JobPayloads[K] extends NoPayload ? K : never }[JobKind];

/**
 * Asks for a job about a subject at a time (epoch milliseconds). `event` is the id of the AuditEvent of the passage
 * that asks for it.
 */
export function jobOf(kind: BareKind, subject: string, at: number, event?: string): JobRequest<BareKind> {
  return { id: newId(), kind, subject, payload: NONE, at, ...(event === undefined ? {} : { event }) };
}
