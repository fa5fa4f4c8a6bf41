/**
 * The writer thread of the trail: whoever reads waits for an event alone, whatever is being received or committed. It
 * takes what commits have put into the outbox from the file of records, which it only reads.
 */
import { join } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { TrailHead } from '../../../ports/audit-trail.ts';
import { EventIndex } from '../audit/event-index.ts';
import { FormReceiver } from '../audit/sent-forms.ts';
import { removeOldest } from '../audit/remove-oldest.ts';
import { openReader, openWriter, type Database } from '../database.ts';
import { migrate, MIGRATIONS } from '../schema.ts';
import { Forgetting } from '../forget/forget.ts';
import { answerOf, every, runGroup, serveOrders } from './order-thread.ts';
import { Outbox } from './outbox.ts';
import type { AnswerMessage, OrderMessage, TrailOrders, WriterStart } from './protocol.ts';
import { readHead } from './write-trail.ts';

/** Events that the trail had no room for are tried again as often. */
const CATCH_UP_PAUSE_MS = 1_000;

const BUSY_TIMEOUT_MS = 1_000;

type Order = OrderMessage<TrailOrders>;
type Written = Extract<Order, { name: 'audit' | 'erasePersonal' | 'removeOldest' }>;

const isWritten = (order: Order): order is Written =>
  order.name === 'audit' || order.name === 'erasePersonal' || order.name === 'removeOldest';

function run(port: MessagePort, { dataDir, outbox: records, moved }: WriterStart): void {
  const trail = openWriter(join(dataDir, 'trail.sqlite'));
  migrate(trail, MIGRATIONS.trail);
  // Nobody else writes the file: who holds it is in trouble, and readers wait for us.
  trail.script(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  // Told once that the file of records is there, then that its outbox has entries.
  records.once('message', () => {
    const thread = new TrailThread(dataDir, trail, moved);
    records.on('message', () => thread.takeOutbox());
    const close = (): void => {
      thread.close();
      records.close();
    };
    serveOrders<TrailOrders>(port, {
      apply: (orders) => thread.apply(orders),
      follow: () => thread.follow(),
      close,
    });
  });
}

/** Writes the trail: what readers record, what commits have recorded, and the rows by which events are found. */
class TrailThread {
  readonly #trail: Database;
  readonly #records: Database;
  readonly #outbox: Outbox;
  readonly #index: EventIndex;
  readonly #forms = new FormReceiver();
  readonly #forgetting: Forgetting;
  readonly #stopCatchingUp: () => void;

  constructor(dataDir: string, trail: Database, moved: BigInt64Array) {
    this.#trail = trail;
    this.#records = openReader(join(dataDir, 'records.sqlite'));
    this.#outbox = new Outbox(this.#records, trail, readHead(trail), moved);
    this.#outbox.drain();
    this.#index = new EventIndex(trail, this.#outbox.head.sequence);
    this.#forgetting = new Forgetting(join(dataDir, 'trail.sqlite'), trail);
    this.#stopCatchingUp = every(CATCH_UP_PAUSE_MS, () => {
      // Should the disk still not take it, the other would only wait as long for it.
      [this.#outbox, this.#index].find((part) => part.isBehind)?.tryDrain();
    });
  }

  /** What waits since it could not be written is tried again by the clock alone. */
  takeOutbox(): void {
    if (!this.#outbox.isBehind) this.#outbox.tryDrain();
    this.follow();
  }

  follow(): void {
    this.#index.follow(this.#outbox.head.sequence);
  }

  *apply(orders: readonly Order[]): Iterable<readonly AnswerMessage[]> {
    const written = orders.filter(isWritten);
    if (written.length > 0) yield this.#write(written);
    for (const { name, sequence, order } of orders) {
      if (name === 'head') yield [answerOf(sequence, () => this.#head())];
      if (name === 'forget') yield [answerOf(sequence, () => this.#forget(order.from))];
    }
  }

  close(): void {
    this.#stopCatchingUp();
    this.#outbox.tryDrain();
    this.#index.tryDrain();
    for (const database of [this.#trail, this.#records]) database.close();
    this.#forgetting.close();
  }

  #write(orders: readonly Written[]): readonly AnswerMessage[] {
    const execute = (order: Written): number | undefined => this.#execute(order);
    return this.#outbox.whole((again) => runGroup(this.#trail, orders, execute, { again })).answers;
  }

  #execute(message: Written): number | undefined {
    if (message.name === 'removeOldest') return removeOldest(this.#trail, message.order.last);
    if (message.name === 'audit') this.#outbox.append(message.order.map((event) => this.#forms.restore(event)));
    else this.#outbox.erase(message.order);
    return undefined;
  }

  /** The head stands for all that was recorded, as far as the disk takes it, and is answered when it can be found. */
  #head(): TrailHead {
    this.#outbox.tryDrain();
    this.#index.drain();
    return this.#outbox.head;
  }

  #forget(from: number): number | undefined | 'busy' {
    this.#outbox.drain();
    this.#index.drain();
    return this.#forgetting.step(from);
  }
}

if (parentPort !== null) run(parentPort, workerData as WriterStart);
