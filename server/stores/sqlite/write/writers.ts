/** The two writer threads of a data folder: one of records and tokens, one of the trail. */
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { RecordOrders, TrailOrders, WriterStart } from './protocol.ts';
import type { ChainRecord } from '../../audit-chain.ts';
import { FormSender } from '../audit/sent-forms.ts';
import { toWireAudit } from '../audit/wire-audit.ts';
import { Writer } from './writer.ts';

/** Both writers. */
export type Writers = {
  readonly records: Writer<RecordOrders>;
  readonly trail: Writer<TrailOrders>;
  /** Records events; resolves when they are durable. */
  readonly record: (events: readonly ChainRecord[]) => Promise<void>;
  /** Up to which position of the outbox entries are in the trail. */
  readonly moved: () => number;
  /** How many transactions the writer of records and tokens has ended. */
  readonly commits: () => bigint;
  /** Lets what waits finish, moves the last events to the trail, closes the files and ends the threads. */
  close(): Promise<void>;
};

/** Starts the threads; resolves when the files are open, migrated and what commits recorded is in the trail. */
export async function startWriters(dataDir: string): Promise<Writers> {
  const { port1, port2 } = new MessageChannel();
  const [moved, commits] = [counter(), counter()];
  const start = (program: string, outbox: MessagePort): Worker => {
    const workerData: WriterStart = { dataDir, outbox, moved, commits };
    return new Worker(new URL(program, import.meta.url), { workerData, transferList: [outbox] });
  };
  const workers = [start('record-thread.ts', port1), start('trail-thread.ts', port2)] as const;
  try {
    const [records, trail] = await Promise.all([
      Writer.on<RecordOrders>(workers[0], (error) => fail(error)),
      Writer.on<TrailOrders>(workers[1], (error) => fail(error)),
    ]);
    // One without the other keeps no promise: what commits record would not be found, or nothing be committed.
    const fail = (error: Error): void => {
      for (const writer of [records, trail]) writer.end(error);
    };
    const forms = new FormSender();
    const record = async (events: readonly ChainRecord[]): Promise<void> => {
      const sent = events.map((event) => forms.shorten(toWireAudit(event)));
      await trail.send('audit', sent);
      forms.areThere(sent);
    };
    const close = async (): Promise<void> => {
      await records.send('rest', undefined).catch(() => undefined);
      await trail.close();
      await records.close();
    };
    return { records, trail, record, moved: () => Number(countOf(moved)), commits: () => countOf(commits), close };
  } catch (error) {
    await Promise.all(workers.map(async (worker) => await worker.terminate()));
    throw error;
  }
}

function counter(): BigInt64Array<SharedArrayBuffer> {
  return new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
}

function countOf(counter: BigInt64Array): bigint {
  return Atomics.load(counter, 0);
}
