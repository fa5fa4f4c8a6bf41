/** Errors of the driver as Faults. What a server says may quote keys, so only codes and labels are kept for the log. */
import { MongoError, MongoServerError } from 'mongodb';
import { Fault } from '../../../profiles/fault.ts';

/** Codes of the server that are read here. @see https://www.mongodb.com/docs/manual/reference/error-codes/ */
const SERVER_CODE = {
  outOfDiskSpace: 14031,
  objectTooLarge: 10334,
  duplicateKey: 11000,
} as const;

const PASSING = [
  'TransientTransactionError',
  'UnknownTransactionCommitResult',
  'RetryableWriteError',
  'RetryableError',
];

// Lost or unreachable server, closed client, stepping down, and the time limits of the server.
const PASSING_NAMES = [
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoPoolClosedError',
  'MongoPoolClearedError',
  'PoolClearedOnNetworkError',
  'MongoWaitQueueTimeoutError',
  'MongoWriteConcernError',
  'MongoExpiredSessionError',
];
const PASSING_CODES = [
  6, 7, 24, 50, 64, 89, 91, 112, 189, 202, 246, 251, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436,
];

/** Whether a driver's error carries a label. */
export function hasLabel(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}

/** Whether a unique key stands already. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === SERVER_CODE.duplicateKey;
}

/** Turns what the driver threw into a Fault; a Fault stays itself, and what is no driver's error is thrown on. */
export function toStoreFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (!(error instanceof MongoError)) throw error;
  const cause = withoutContent(error);
  if (error.code === SERVER_CODE.outOfDiskSpace) return new Fault('no-store', 'The store has no space left', { cause });
  if (error.code === SERVER_CODE.objectTooLarge)
    return new Fault('too-long', 'The resource is too large to be stored', { cause });
  if (isPassing(error)) return new Fault('transient', 'The store cannot be reached or is busy; try again', { cause });
  return new Fault('exception', 'The store met an unexpected condition', { cause });
}

function isPassing(error: MongoError): boolean {
  if (PASSING.some((label) => error.hasErrorLabel(label))) return true;
  return PASSING_NAMES.includes(error.name) || (typeof error.code === 'number' && PASSING_CODES.includes(error.code));
}

/** What a log may say of an error: its name, its code and labels, and where it was thrown. */
export function withoutContent(error: Error): Error {
  const code = error instanceof MongoServerError ? `${error.code ?? ''} ${error.codeName ?? ''}` : '';
  const labels = error instanceof MongoError ? error.errorLabels.join(' ') : '';
  const summary = new Error(`${error.name} ${code} ${labels}`.trim());
  summary.stack = `${summary.message}\n${framesOf(error.stack ?? '')}`;
  return summary;
}

function framesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
}

/** Runs work on the store; driver's errors come out as Faults. */
export async function asStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStoreFault(error);
  }
}
