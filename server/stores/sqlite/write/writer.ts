/** The main thread's end of the writer thread: an order in, a promise out, and a bound on how many wait. */
import { Worker } from 'node:worker_threads';
import { Fault } from '../../../../profiles/fault.ts';
import type { AnswerMessage, OrderName, Orders } from './protocol.ts';

const QUEUE_LIMIT = 4_000;

type Waiting = { readonly resolve: (value: never) => void; readonly reject: (reason: unknown) => void };

/** Sends orders to the writer thread. */
export class Writer {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #sequence = 0;
  #ended: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Starts the thread; resolves when the files are open, migrated and the audit outbox is drained. */
  static async start(dataDir: string): Promise<Writer> {
    const worker = new Worker(new URL('writer-thread.ts', import.meta.url), { workerData: { dataDir } });
    const writer = new Writer(worker);
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    worker.on('message', (message: AnswerMessage) => writer.#settle(message));
    worker.on('error', (error) => writer.#end(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => writer.#end(new Error('The writer thread has ended')));
    return writer;
  }

  /**
   * Sends an order; resolves when it is durable.
   * @throws {Fault} transient - too many orders wait, or the writer has ended
   */
  send<K extends OrderName>(name: K, order: Orders[K]['order']): Promise<Orders[K]['answer']> {
    if (this.#ended !== undefined)
      return Promise.reject(new Fault('transient', 'The store is closed', { cause: this.#ended }));
    if (this.#waiting.size >= QUEUE_LIMIT)
      return Promise.reject(new Fault('transient', 'The store takes no more writes at the moment'));
    this.#sequence += 1;
    const sequence = this.#sequence;
    return new Promise((resolve, reject) => {
      this.#waiting.set(sequence, { resolve, reject });
      this.#worker.postMessage({ sequence, name, order });
    });
  }

  /** Lets the orders that wait finish, then closes the files and ends the thread. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage('close');
    await ended;
  }

  #settle(message: AnswerMessage | 'closed'): void {
    if (message === 'closed') return;
    const waiting = this.#waiting.get(message.sequence);
    this.#waiting.delete(message.sequence);
    if ('fault' in message) waiting?.reject(errorOf(message.fault));
    else waiting?.resolve(message.answer as never);
  }

  #end(error: Error): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.values())
      reject(new Fault('transient', 'The store is closed', { cause: error }));
    this.#waiting.clear();
  }
}

function errorOf(fault: { kind: Fault['kind']; message: string; bug: boolean }): Error {
  return fault.bug ? new Error(fault.message) : new Fault(fault.kind, fault.message);
}
