/** The main thread's end of a writer thread: an order in, a promise out, and a bound on how many wait. */
import type { Worker } from 'node:worker_threads';
import { Fault } from '../../../../profiles/fault.ts';
import type { AnswerMessage, Orders } from './protocol.ts';

const QUEUE_LIMIT = 4_000;

type Waiting = { readonly resolve: (value: never) => void; readonly reject: (reason: unknown) => void };

/** Sends orders to a writer thread. */
export class Writer<O extends Orders> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  /** Given in this turn, not sent yet: a message that wakes a thread costs more than what it carries. */
  #given: { readonly sequence: number; readonly name: keyof O; readonly order: unknown }[] = [];
  #sequence = 0;
  #ended: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Waits until the files of a thread are open. `failed` is told when it ends by an error. */
  static async on<O extends Orders>(worker: Worker, failed: (error: Error) => void): Promise<Writer<O>> {
    const writer = new Writer<O>(worker);
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    worker.on('message', (answers: readonly AnswerMessage[]) => {
      for (const answer of answers) writer.#settle(answer);
    });
    worker.on('error', (error) => failed(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => writer.end(new Error('The writer thread has ended')));
    return writer;
  }

  /**
   * Sends an order; resolves when it is durable.
   * @throws {Fault} transient - too many orders wait, or the writer has ended
   */
  send<K extends keyof O>(name: K, order: O[K]['order']): Promise<O[K]['answer']> {
    if (this.#ended !== undefined)
      return Promise.reject(new Fault('transient', 'The store is closed', { cause: this.#ended }));
    if (this.#waiting.size >= QUEUE_LIMIT)
      return Promise.reject(new Fault('transient', 'The store takes no more writes at the moment'));
    this.#sequence += 1;
    const sequence = this.#sequence;
    if (this.#given.push({ sequence, name, order }) === 1) setImmediate(() => this.#flush());
    return new Promise((resolve, reject) => {
      this.#waiting.set(sequence, { resolve, reject });
    });
  }

  /** Lets the orders that wait finish, then closes the files and ends the thread. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#flush();
    this.#worker.postMessage('close');
    await ended;
  }

  /** Refuses what waits and what is sent from now on. */
  end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values())
      reject(new Fault('transient', 'The store is closed', { cause: error }));
    this.#waiting.clear();
  }

  #flush(): void {
    if (this.#given.length === 0) return;
    this.#worker.postMessage(this.#given);
    this.#given = [];
  }

  #settle(message: AnswerMessage): void {
    const waiting = this.#waiting.get(message.sequence);
    this.#waiting.delete(message.sequence);
    if ('fault' in message) waiting?.reject(errorOf(message.fault));
    else waiting?.resolve(message.answer as never);
  }
}

function errorOf({ kind, message, expression, bug }: Extract<AnswerMessage, { fault: object }>['fault']): Error {
  if (bug) return new Error(message);
  return new Fault(kind, message, expression === undefined ? {} : { expression });
}
