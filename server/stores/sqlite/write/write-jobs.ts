/** Jobs as the writer keeps them: asked for in a plan, taken under a lease, settled by who holds it. */
import {
  payloadText,
  settled,
  type JobKey,
  type JobLease,
  type JobOutcome,
  type JobRequest,
} from '../../../ports/job-queue.ts';
import { jobIdTaken } from '../../refused.ts';
import { isTaken, storageTrouble, type Database } from '../database.ts';
import type { JobRow, JobTaking, OrderMessage, RecordOrders } from './protocol.ts';

/** An order of the queue. */
export type JobOrder = Extract<OrderMessage<RecordOrders>, { name: `job${string}` }>;

/**
 * Asks for a job. Asked for again as it waits already, nothing is written.
 * @throws {Fault} conflict - another job has its id
 */
export function putJob(db: Database, job: JobRequest, now: number): void {
  const { id, kind, subject, at, event = null } = job;
  try {
    db.run(PUT, kind, subject, id, payloadText(job), event, at, now);
  } catch (error) {
    throw isTaken(error) ? jobIdTaken() : error;
  }
}

const PUT = `
  INSERT INTO job (kind, subject, id, payload, event, at, asked_at) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (kind, subject) DO UPDATE SET
    payload = excluded.payload, event = ifnull(excluded.event, event), at = excluded.at,
    asked = asked + (until > 0),
    attempts = iif(is_dead, 0, attempts), error = iif(is_dead, NULL, error), is_dead = 0
  WHERE at <> excluded.at OR payload <> excluded.payload OR ifnull(excluded.event, event) IS NOT event OR until > 0
    OR is_dead`;

/** Erases a job, whatever its state. */
export function eraseJob(db: Database, { kind, subject }: JobKey): void {
  db.run('DELETE FROM job WHERE kind = ? AND subject = ?', kind, subject);
}

/** What a lease needs to be recognised. */
const HELD = 'id = ? AND token = ? AND until > ?';

/** Takes jobs of a kind that are due. */
function takeJobs(db: Database, { kind, now, leaseMs, limit }: JobTaking): readonly JobRow[] {
  return db.all<JobRow>(TAKE, now + leaseMs, kind, kind, now, limit);
}

const TAKE = `
  UPDATE job SET token = token + 1, attempts = attempts + 1, until = ? WHERE kind = ? AND subject IN (
    SELECT subject FROM job WHERE kind = ? AND is_dead = 0 AND next <= ? ORDER BY next, subject LIMIT ?
  ) RETURNING *`;

/** Makes a lease last. */
function extendJob(db: Database, { id, token }: JobLease, now: number, until: number): boolean {
  return db.run(`UPDATE job SET until = ? WHERE ${HELD}`, until, id, token, now) === 1;
}

/** Says what became of a job. */
function settleJob(db: Database, job: JobLease, now: number, outcome: JobOutcome): boolean {
  const { id, token, asked } = job;
  const isDone = outcome.end === 'done';
  if (isDone && db.run(`DELETE FROM job WHERE ${HELD} AND asked = ?`, id, token, now, asked) === 1) return true;
  const { at, attempts, error, isDead } = settled(job, outcome);
  if (db.run(`${SETTLE} AND asked = ?`, error ?? null, at, attempts, isDead ? 1 : 0, id, token, now, asked) === 1)
    return true;
  return db.run(SETTLE_ASKED, isDead ? null : (error ?? null), isDead ? 0 : attempts, id, token, now) === 1;
}

const SETTLE = `UPDATE job SET until = 0, error = ?, at = ?, attempts = ?, is_dead = ? WHERE ${HELD}`;
/** What was asked for meanwhile keeps its time, and does not die. */
const SETTLE_ASKED = `UPDATE job SET until = 0, error = ?, attempts = ? WHERE ${HELD}`;

/**
 * One process has the folder: whoever held a lease before it was started holds none any more. When the disk does not
 * take it, leases end by themselves.
 */
export function endLeases(db: Database): void {
  try {
    db.run('UPDATE job SET until = 0 WHERE until > 0');
  } catch (error) {
    if (storageTrouble(error) === undefined) throw error;
  }
}

/** Applies an order of the queue. */
export function applyJobOrder(db: Database, message: JobOrder): readonly JobRow[] | boolean {
  switch (message.name) {
    case 'jobsTake':
      return takeJobs(db, message.order);
    case 'jobExtend':
      return extendJob(db, message.order.lease, message.order.now, message.order.until);
    case 'jobSettle':
      return settleJob(db, message.order.lease, message.order.now, message.order.outcome);
  }
}
