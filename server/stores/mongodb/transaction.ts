/**
 * Transactions: snapshot, majority, journaled, primary only. Work may run several times and must read what it decides
 * on inside its session, one statement at a time.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientSession, Collection, MongoClient, TransactionOptions } from 'mongodb';
import { Fault } from '../../../profiles/fault.ts';
import type { MetaDocument } from './documents.ts';
import { asStore, hasLabel, isDuplicateKey, toStoreFault } from './errors.ts';

const OPTIONS: TransactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
  maxCommitTimeMS: 10_000,
};

const MAX_ATTEMPTS = 24;
/** Of these, how many may end without a known result. */
const MAX_UNKNOWN = 3;
const MAX_COMMITS = 3;
const LONGEST_TRYING_MS = 20_000;
const LONGEST_PAUSE_MS = 250;

/** Where transactions run; `meta` is read when one must be left behind. */
export type Place = { readonly client: MongoClient; readonly meta: Collection<MetaDocument> };

/** What a transaction does; `attempt` counts from 1. */
export type Work<T> = (session: ClientSession, attempt: number) => Promise<T>;

/**
 * Runs work in a transaction until it is committed. Conflicts are tried again, with jitter, a bounded number of times.
 * When the result of a commit stays unknown, `decide` says what was committed; if it finds nothing the work is run
 * again, so work that is given `decide` must be repeatable.
 * @throws {Fault} transient - conflicts went on, the server is out of reach, or the result is unknown
 */
export async function inTransaction<T>(place: Place, work: Work<T>, decide?: () => Promise<T | undefined>): Promise<T> {
  await using session = place.client.startSession();
  const deadline = Date.now() + LONGEST_TRYING_MS;
  let unknown = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(session, async () => await work(session, attempt));
    } catch (error) {
      const isOver = attempt === MAX_ATTEMPTS || Date.now() > deadline;
      if (hasLabel(error, 'UnknownTransactionCommitResult')) {
        await leaveBehind(place, session);
        const decided = decide === undefined ? undefined : await asStore(decide);
        if (decided !== undefined) return decided;
        unknown += 1;
        if (decide === undefined || unknown === MAX_UNKNOWN || isOver) throw toStoreFault(error);
      } else if (isOver || !isWorthRepeating(error)) {
        throw toStoreFault(error);
      }
      await pause(jitter(attempt));
    }
  }
}

async function runOnce<T>(session: ClientSession, work: () => Promise<T>): Promise<T> {
  session.startTransaction(OPTIONS);
  try {
    const value = await work();
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

/**
 * Begins a later transaction on the session: the server then ends an earlier one that it still holds open, whose rows
 * would else stay locked for a minute, and what it committed is all that it will.
 */
async function leaveBehind({ meta }: Place, session: ClientSession): Promise<void> {
  try {
    session.startTransaction(OPTIONS);
    await meta.findOne({ _id: 'schema' }, { session });
  } catch {
    // Out of reach: the server ends it by its own limit of time.
  } finally {
    if (session.inTransaction()) await session.abortTransaction();
  }
}

// A key that another transaction inserted since the snapshot is seen by the next attempt.
function isWorthRepeating(error: unknown): boolean {
  return !(error instanceof Fault) && (hasLabel(error, 'TransientTransactionError') || isDuplicateKey(error));
}

function jitter(attempt: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE_MS, 4 * 2 ** attempt);
}
