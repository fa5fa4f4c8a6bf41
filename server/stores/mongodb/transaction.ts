/**
 * Transactions: snapshot, majority, journaled, primary only. Work may run several times and must read what it decides
 * on inside its session, one statement at a time.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientSession, MongoClient, TransactionOptions } from 'mongodb';
import { Fault } from '../../../profiles/fault.ts';
import { hasLabel, isDuplicateKey, toStoreFault } from './errors.ts';

const OPTIONS: TransactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
  maxCommitTimeMS: 10_000,
};

const MAX_ATTEMPTS = 24;
const MAX_COMMITS = 3;
const LONGEST_PAUSE_MS = 250;

/** What a transaction does. */
export type Work<T> = (session: ClientSession) => Promise<T>;

/**
 * Runs work in a transaction until it is committed. Conflicts are tried again, with jitter, a bounded number of times.
 * When the result of a commit stays unknown, `decide` says what was committed; if it finds nothing the work is run
 * again, so work that is given `decide` must be repeatable.
 * @throws {Fault} transient - conflicts went on, the server is out of reach, or the result is unknown
 */
export async function inTransaction<T>(client: MongoClient, work: Work<T>, decide?: () => Promise<T | undefined>): Promise<T> {
  await using session = client.startSession();
  let last: unknown;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (attempt > 0) await pause(jitter(attempt));
    try {
      return await runOnce(session, work);
    } catch (error) {
      last = error;
      if (hasLabel(error, 'UnknownTransactionCommitResult')) {
        const decided = await decide?.();
        if (decided !== undefined) return decided;
        if (decide === undefined) break;
      } else if (!isWorthRepeating(error)) {
        break;
      }
    }
  }
  throw toStoreFault(last);
}

async function runOnce<T>(session: ClientSession, work: Work<T>): Promise<T> {
  session.startTransaction(OPTIONS);
  try {
    const value = await work(session);
    await commit(session);
    return value;
  } finally {
    if (session.inTransaction()) await session.abortTransaction();
  }
}

/** Sends the commit again while its result is unknown: the server takes a repeated commit as the same one. */
async function commit(session: ClientSession): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await session.commitTransaction();
    } catch (error) {
      if (tries === MAX_COMMITS || !hasLabel(error, 'UnknownTransactionCommitResult')) throw error;
      await pause(jitter(tries));
    }
  }
}

// A key that another transaction inserted since the snapshot is seen by the next attempt.
function isWorthRepeating(error: unknown): boolean {
  return !(error instanceof Fault) && (hasLabel(error, 'TransientTransactionError') || isDuplicateKey(error));
}

function jitter(attempt: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE_MS, 4 * 2 ** attempt);
}
