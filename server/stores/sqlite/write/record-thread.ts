/** The writer thread of records and tokens: owns the connections that write them. */
import { join } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { applyIndexOrder, type IndexOrder } from '../search-index/write-index.ts';
import { openWriter, unsynced, type Database } from '../database.ts';
import { migrate, MIGRATIONS } from '../schema.ts';
import { applyPlan } from './apply-plan.ts';
import { Forgetting } from '../forget/forget.ts';
import { answerOf, every, runGroup, serveOrders } from './order-thread.ts';
import { OutboxEnd } from './outbox.ts';
import type { AnswerMessage, OrderMessage, RecordOrders, WriterStart } from './protocol.ts';
import { tryPurge } from '../forget/purge.ts';
import { applyJobOrder, endLeases, type JobOrder } from './write-jobs.ts';
import { applyTokenOrder, type TokenOrder } from './write-tokens.ts';

const PURGE_PAUSE_MS = 600_000;
/** What has moved to the trail is removed with the next commit, or after so long. */
const TIDY_PAUSE_MS = 1_000;

type Order = OrderMessage<RecordOrders>;
type Commit = Extract<Order, { name: 'commit' }>;

const isCommit = (order: Order): order is Commit => order.name === 'commit';
const isOfJobs = (order: Order): order is JobOrder => order.name.startsWith('job');
const isOfIndex = (order: Order): order is IndexOrder => order.name.startsWith('index');
const isOfTokens = (order: Order): order is TokenOrder => order.name.startsWith('token');

function run(port: MessagePort, { dataDir, outbox: trail, moved, commits }: WriterStart): void {
  const records = openFile(dataDir, 'records');
  const tokens = openFile(dataDir, 'tokens');
  const outbox = new OutboxEnd(records, moved);
  const forgetting = new Forgetting(join(dataDir, 'records.sqlite'), records);
  const forgettingTokens = new Forgetting(join(dataDir, 'tokens.sqlite'), tokens);
  const write = counted(commits);
  const purge = (): void => tryPurge(records, tokens, Date.now());
  purge();
  endLeases(records);
  const stops = [every(PURGE_PAUSE_MS, purge), every(TIDY_PAUSE_MS, () => outbox.tryTidy())];
  const wakeTrail = (): void => trail.postMessage(undefined);
  // The trail waits for the files of records to be there.
  wakeTrail();

  function* apply(orders: readonly Order[]): Iterable<readonly AnswerMessage[]> {
    const [ofTokens, plans] = [orders.filter(isOfTokens), orders.filter(isCommit)];
    if (ofTokens.length > 0) yield write(tokens, ofTokens, (order) => applyTokenOrder(tokens, order)).answers;
    if (plans.length > 0) {
      const commit = ({ order }: Commit): unknown => applyPlan(records, tokens, order, Date.now());
      yield outbox.within((last) => write(records, plans, commit, { last })).answers;
      if (plans.some(fillsOutbox)) wakeTrail();
    }
    const ofJobs = orders.filter(isOfJobs);
    if (ofJobs.length > 0)
      yield unsynced(records, () => write(records, ofJobs, (order) => applyJobOrder(records, order)).answers);
    // What a power cut undoes of it is done again: rows and their versions go together.
    const ofIndex = orders.filter(isOfIndex);
    if (ofIndex.length > 0)
      yield unsynced(records, () => write(records, ofIndex, (order) => applyIndexOrder(records, order)).answers);
    // A checkpoint cannot be part of a transaction.
    for (const { name, sequence, order } of orders) {
      if (name === 'rest') yield [{ sequence, answer: undefined }];
      if (name === 'forget')
        yield [
          answerOf(sequence, () => {
            outbox.tidy();
            return forgetting.step(order.from);
          }),
        ];
      if (name === 'forgetTokens') yield [answerOf(sequence, () => forgettingTokens.step(order.from))];
    }
  }

  function close(): void {
    for (const stop of stops) stop();
    outbox.tryTidy();
    for (const database of [records, tokens]) database.close();
    for (const one of [forgetting, forgettingTokens]) one.close();
    trail.close();
  }

  serveOrders<RecordOrders>(port, { apply, close });
}

/** Groups that are counted before they are answered: who hears that something is written finds it. */
function counted(commits: WriterStart['commits']): typeof runGroup {
  return (database, orders, execute, besides) => {
    try {
      return runGroup(database, orders, execute, besides);
    } finally {
      Atomics.add(commits, 0, 1n);
    }
  };
}

function openFile(dataDir: string, name: 'records' | 'tokens'): Database {
  const database = openWriter(join(dataDir, `${name}.sqlite`));
  migrate(database, MIGRATIONS[name]);
  return database;
}

function fillsOutbox({ order }: Commit): boolean {
  return order.plan.audit.length > 0 || order.plan.moves !== undefined;
}

if (parentPort !== null) run(parentPort, workerData as WriterStart);
