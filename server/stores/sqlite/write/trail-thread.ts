/**
 * The writer thread of the trail: whoever reads waits for an event alone, whatever is being received or committed. It
 * takes what commits have put into the outbox from the file of records, which it only reads.
 */
import { join } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { EventIndex } from '../audit/event-index.ts';
import { openReader, openWriter } from '../database.ts';
import { migrate, MIGRATIONS } from '../schema.ts';
import { Forgetting } from './forget.ts';
import { answerOf, every, runGroup, serveOrders } from './order-thread.ts';
import { Outbox } from './outbox.ts';
import type { AnswerMessage, OrderMessage, TrailOrders, WriterStart } from './protocol.ts';
import { readHead } from './write-trail.ts';

/** Events that the trail had no room for are tried again as often. */
const CATCH_UP_PAUSE_MS = 1_000;

const BUSY_TIMEOUT_MS = 1_000;

type Order = OrderMessage<TrailOrders>;
type Written = Extract<Order, { name: 'audit' | 'eraseEntities' }>;

const isWritten = (order: Order): order is Written => order.name === 'audit' || order.name === 'eraseEntities';

function run(port: MessagePort, { dataDir, outbox: records, moved }: WriterStart): void {
  const trail = openWriter(join(dataDir, 'trail.sqlite'));
  migrate(trail, MIGRATIONS.trail);
  // Nobody else writes the file: who holds it is in trouble, and readers wait for us.
  trail.script(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  // Told once that the file of records is there, then that its outbox has entries.
  records.once('message', () => {
    const recordsFile = openReader(join(dataDir, 'records.sqlite'));
    const outbox = new Outbox(recordsFile, trail, readHead(trail), moved);
    outbox.drain();
    const index = new EventIndex(trail, outbox.head.sequence);
    const forgetting = new Forgetting(join(dataDir, 'trail.sqlite'), trail);
    const stop = every(CATCH_UP_PAUSE_MS, () => {
      // Should the disk still not take it, the other would only wait as long for it.
      [outbox, index].find((part) => part.isBehind)?.tryDrain();
    });
    const follow = (): void => index.follow(outbox.head.sequence);
    records.on('message', () => {
      if (!outbox.isBehind) outbox.tryDrain();
      follow();
    });

    const execute = (message: Written): undefined => {
      if (message.name === 'audit') outbox.append(message.order);
      else for (const id of message.order) trail.run(ERASE_ENTITIES, id);
    };
    /** As one order, which costs less; should there be a fault in one of them, each on its own. */
    const write = (orders: readonly Written[]): readonly AnswerMessage[] => {
      const all = { sequence: 0, orders };
      const one = outbox.whole(() => runGroup(trail, [all], () => orders.forEach(execute)));
      const [answer] = one.answers;
      if (answer !== undefined && 'fault' in answer && answer.fault.bug)
        return outbox.whole(() => runGroup(trail, orders, execute)).answers;
      return orders.map(({ sequence }) => ({ ...answer, sequence }) as AnswerMessage);
    };
    function* apply(orders: readonly Order[]): Iterable<readonly AnswerMessage[]> {
      const written = orders.filter(isWritten);
      if (written.length > 0) yield write(written);
      // The head stands for all that was recorded, and is answered when all of it can be found.
      for (const { name, sequence, order } of orders) {
        if (name !== 'head' && name !== 'forget') continue;
        yield [
          answerOf(sequence, () => {
            outbox.drain();
            index.drain();
            return name === 'head' ? outbox.head : forgetting.step(order.from);
          }),
        ];
      }
    }
    function close(): void {
      stop();
      outbox.tryDrain();
      index.tryDrain();
      for (const database of [trail, recordsFile]) database.close();
      forgetting.close();
      records.close();
    }

    serveOrders<TrailOrders>(port, { apply, follow, close });
  });
}

const ERASE_ENTITIES = "DELETE FROM personal WHERE id = ? AND side = 'entities'";

if (parentPort !== null) run(parentPort, workerData as WriterStart);
