/**
 * The loop of a writer thread. It takes all orders that wait, applies those of a file in one transaction, commits, and
 * only then answers: one sync serves the whole group, and one message carries its answers.
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { Fault } from '../../../../profiles/fault.ts';
import { storageTrouble, undoOpen, type Database } from '../database.ts';
import type { AnswerMessage, OrderMessage, Orders } from './protocol.ts';

const GROUP_LIMIT = 256;

/**
 * Does work again and again, a pause after each time, however long it takes: an interval whose work takes longer than
 * itself, as on a disk that hangs, keeps a thread from its orders. Answers what ends it.
 */
export function every(pauseMs: number, work: () => void): () => void {
  let timer = setTimeout(function again() {
    work();
    timer = setTimeout(again, pauseMs);
  }, pauseMs);
  return () => clearTimeout(timer);
}

/** What a thread does with its orders. */
export type OrderThread<O extends Orders> = {
  /** Applies orders; each batch of answers is sent when it is there. */
  readonly apply: (orders: readonly OrderMessage<O>[]) => Iterable<readonly AnswerMessage[]>;
  /** After the answers: work that nobody waits for. */
  readonly follow?: () => void;
  readonly close: () => void;
};

/** Serves orders until it is told to close; says `ready` first. */
export function serveOrders<O extends Orders>(port: MessagePort, { apply, follow, close }: OrderThread<O>): void {
  port.on('message', (first: readonly OrderMessage<O>[] | 'close') => {
    const group = gather(port, first);
    for (const answers of apply(group.orders)) if (answers.length > 0) port.postMessage(answers);
    if (!group.isLast) return follow?.();
    close();
    port.close();
  });
  port.postMessage('ready');
}

function gather<O extends Orders>(port: MessagePort, first: readonly OrderMessage<O>[] | 'close') {
  const orders: OrderMessage<O>[] = [];
  for (let message: typeof first | undefined = first; message !== undefined;) {
    if (message === 'close') return { orders, isLast: true };
    orders.push(...message);
    if (orders.length >= GROUP_LIMIT) break;
    message = (receiveMessageOnPort(port) as { message: typeof first } | undefined)?.message;
  }
  return { orders, isLast: false };
}

/** One transaction of one file: its answers, and whether it stands; when it does not, every order of it has failed. */
export type GroupResult = { readonly answers: readonly AnswerMessage[]; readonly isCommitted: boolean };

/** What a group does beside its orders. */
export type Besides = {
  /** In the same transaction, after them. */
  readonly last?: () => void;
  /** Before they are applied again, none of them being applied. */
  readonly again?: () => void;
};

/**
 * Runs a group in one transaction. An order that fails undoes itself alone: then all are applied again, each in a
 * savepoint, for which SQLite copies every page that is changed.
 */
export function runGroup<M extends { readonly sequence: number }>(
  database: Database,
  orders: readonly M[],
  execute: (order: M) => unknown,
  { last = () => undefined, again = () => undefined }: Besides = {},
): GroupResult {
  const inTransaction = (answer: (order: M) => AnswerMessage): GroupResult => {
    database.run('BEGIN IMMEDIATE');
    const answers = orders.map(answer);
    last();
    database.run('COMMIT');
    return { answers, isCommitted: true };
  };
  const failed = (error: unknown): GroupResult => {
    undoOpen(database);
    return { answers: orders.map(({ sequence }) => failureOf(sequence, error)), isCommitted: false };
  };
  try {
    return inTransaction((order) => ({ sequence: order.sequence, answer: execute(order) }));
  } catch (error) {
    const result = failed(error);
    if (orders.length === 1 || storageTrouble(error) !== undefined) return result;
  }
  try {
    again();
    return inTransaction((order) => runOrder(database, order, execute));
  } catch (error) {
    return failed(error);
  }
}

/** Trouble of the disk may have ended the transaction of the whole group, so it leaves here. */
function runOrder<M extends { readonly sequence: number }>(
  database: Database,
  order: M,
  execute: (order: M) => unknown,
): AnswerMessage {
  database.run('SAVEPOINT one');
  try {
    const answer = execute(order);
    database.run('RELEASE one');
    return { sequence: order.sequence, answer };
  } catch (error) {
    if (storageTrouble(error) !== undefined) throw error;
    database.script('ROLLBACK TO one; RELEASE one');
    return failureOf(order.sequence, error);
  }
}

/** Answers an order that is no part of a group. */
export function answerOf(sequence: number, work: () => unknown): AnswerMessage {
  try {
    return { sequence, answer: work() };
  } catch (error) {
    return failureOf(sequence, error);
  }
}

function failureOf(sequence: number, error: unknown): AnswerMessage {
  const known = storageTrouble(error) === undefined ? error : storageFault(error);
  if (known instanceof Fault) {
    const { kind, message, expression } = known;
    return { sequence, fault: { kind, message, expression, bug: false } };
  }
  const text = known instanceof Error ? (known.stack ?? known.message) : String(known);
  return { sequence, fault: { kind: 'exception', message: text, expression: undefined, bug: true } };
}

function storageFault(error: unknown): Fault {
  if (storageTrouble(error) === 'full') return new Fault('no-store', 'The disk is full', { cause: error });
  return new Fault('transient', 'The store cannot write now', { cause: error });
}
