/**
 * The writer thread: owns every connection that writes. It takes all orders that wait, applies each in a savepoint of
 * one transaction a file, commits, and only then answers: one sync serves the whole group.
 */
import { join } from 'node:path';
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { Fault } from '../../../../profiles/fault.ts';
import type { TrailHead } from '../../../ports/audit-trail.ts';
import { applyPlan } from './apply-plan.ts';
import { openWriter, storageTrouble, undoOpen, type Database } from '../database.ts';
import { EventIndex } from '../audit/event-index.ts';
import { Forgetting } from './forget.ts';
import { Outbox } from './outbox.ts';
import type { AnswerMessage, OrderMessage, Orders, OrderName } from './protocol.ts';
import { tryPurge } from './purge.ts';
import { MIGRATIONS, migrate } from '../schema.ts';
import { applyTokenOrder } from './write-tokens.ts';
import { appendEvents, eraseEntities, readHead } from './write-trail.ts';

const GROUP_LIMIT = 256;
const PURGE_PAUSE_MS = 600_000;
/** Events that the trail had no room for are tried again as often. */
const CATCH_UP_PAUSE_MS = 1_000;

type Files = { readonly records: Database; readonly trail: Database; readonly tokens: Database };

/** The file that an order writes. */
const FILE_OF: Readonly<Record<OrderName, keyof Files>> = {
  commit: 'records',
  audit: 'trail',
  head: 'trail',
  eraseEntities: 'trail',
  forget: 'records',
  tokenUpsert: 'tokens',
  tokenConsume: 'tokens',
  tokenDestroy: 'tokens',
  tokenRevoke: 'tokens',
  tokenOnce: 'tokens',
};

/** Whoever reads waits for an event alone, whatever is being received. */
const FILE_ORDER = ['trail', 'tokens', 'records'] as const satisfies readonly (keyof Files)[];

function openFiles(dataDir: string): Files {
  const open = (name: keyof Files): Database => {
    const database = openWriter(join(dataDir, `${name}.sqlite`));
    migrate(database, MIGRATIONS[name]);
    return database;
  };
  return { records: open('records'), trail: open('trail'), tokens: open('tokens') };
}

function run(port: MessagePort, dataDir: string): void {
  const files = openFiles(dataDir);
  const outbox = new Outbox(files.records, files.trail, readHead(files.trail));
  outbox.drain();
  const index = new EventIndex(files.trail, outbox.head.sequence);
  const forgetting = new Forgetting(dataDir, files);
  const purge = (): void => tryPurge(files.records, files.tokens, Date.now());
  purge();
  const catchUp = (): void => {
    for (const part of [outbox, index]) if (part.isBehind) part.tryDrain();
  };
  const timers = [setInterval(purge, PURGE_PAUSE_MS), setInterval(catchUp, CATCH_UP_PAUSE_MS)];
  port.postMessage('ready');
  port.on('message', (first: OrderMessage | 'close') => {
    const group = gather(port, first);
    const orders = group.filter((message) => message !== 'close');
    for (const file of FILE_ORDER) {
      const mine = orders.filter((order) => FILE_OF[order.name] === file && !isLast(order));
      if (mine.length > 0) runGroup(port, files[file], mine, outbox);
    }
    if (outbox.isBehind || orders.some(fillsOutbox)) outbox.tryDrain();
    for (const order of orders) if (isLast(order)) port.postMessage(answerLast(order, { outbox, index, forgetting }));
    if (!group.includes('close')) return index.follow(outbox.head.sequence);
    for (const timer of timers) clearInterval(timer);
    index.tryDrain();
    closeAll(port, files, forgetting);
  });
}

/**
 * What comes after all groups: a checkpoint cannot be part of a transaction, and the head stands for all that was
 * recorded.
 */
type LastOrder = Extract<OrderMessage, { name: 'head' | 'forget' }>;

function isLast(order: OrderMessage): order is LastOrder {
  return order.name === 'head' || order.name === 'forget';
}

type Parts = { readonly outbox: Outbox; readonly index: EventIndex; readonly forgetting: Forgetting };

function answerLast(message: LastOrder, { outbox, index, forgetting }: Parts): AnswerMessage {
  const { sequence } = message;
  try {
    index.drain();
    return { sequence, answer: message.name === 'head' ? outbox.head : forgetting.step(message.order) };
  } catch (error) {
    if (storageTrouble(error) === undefined) return failure(sequence, error);
    return failure(sequence, storageFault(error));
  }
}

function fillsOutbox(order: OrderMessage): boolean {
  return order.name === 'commit' && (order.order.audit.length > 0 || order.order.rekeys !== undefined);
}

function gather(port: MessagePort, first: OrderMessage | 'close'): (OrderMessage | 'close')[] {
  const group = [first];
  while (group.length < GROUP_LIMIT) {
    const next = receiveMessageOnPort(port) as { message: OrderMessage | 'close' } | undefined;
    if (next === undefined) break;
    group.push(next.message);
  }
  return group;
}

/** One transaction of one file; when its commit fails, every order of the group fails. */
function runGroup(port: MessagePort, database: Database, orders: readonly OrderMessage[], outbox: Outbox): void {
  const answers: AnswerMessage[] = [];
  let last = outbox.head;
  try {
    database.run('BEGIN IMMEDIATE');
    for (const order of orders) {
      const { answer, head } = runOrder(database, order, last);
      answers.push(answer);
      last = head;
    }
    database.run('COMMIT');
  } catch (error) {
    undoOpen(database);
    for (const { sequence } of orders) port.postMessage(failure(sequence, storageFault(error)));
    return;
  }
  outbox.head = last;
  for (const answer of answers) port.postMessage(answer);
}

/** Trouble of the disk may have ended the transaction of the whole group, so it leaves here. */
function runOrder(
  database: Database,
  order: OrderMessage,
  head: TrailHead,
): { answer: AnswerMessage; head: TrailHead } {
  database.run('SAVEPOINT one');
  try {
    const done = execute(database, order, head);
    database.run('RELEASE one');
    return { answer: { sequence: order.sequence, answer: done.answer }, head: done.head };
  } catch (error) {
    if (storageTrouble(error) !== undefined) throw error;
    database.script('ROLLBACK TO one; RELEASE one');
    return { answer: failure(order.sequence, error), head };
  }
}

function execute(
  database: Database,
  message: OrderMessage,
  head: TrailHead,
): { answer: Orders[OrderName]['answer']; head: TrailHead } {
  switch (message.name) {
    case 'commit':
      return { answer: applyPlan(database, message.order, Date.now()), head };
    case 'audit':
      return { answer: undefined, head: appendEvents(database, head, message.order) };
    case 'eraseEntities':
      return { answer: undefined, head: eraseEntities(database, head, message.order) };
    case 'head':
    case 'forget':
      throw new Error('This order is no part of a group');
    default:
      return { answer: applyTokenOrder(database, message), head };
  }
}

function storageFault(error: unknown): Fault {
  if (storageTrouble(error) === 'full') return new Fault('no-store', 'The disk is full', { cause: error });
  return new Fault('transient', 'The store cannot write now', { cause: error });
}

function failure(sequence: number, error: unknown): AnswerMessage {
  if (error instanceof Fault) return { sequence, fault: { kind: error.kind, message: error.message, bug: false } };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { sequence, fault: { kind: 'exception', message: text, bug: true } };
}

function closeAll(port: MessagePort, files: Files, forgetting: Forgetting): void {
  for (const database of Object.values(files)) database.close();
  forgetting.close();
  port.postMessage('closed');
  port.close();
}

if (parentPort !== null) run(parentPort, (workerData as { dataDir: string }).dataDir);
