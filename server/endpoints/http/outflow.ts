/**
 * The body of an answer on its way out: two buffers in turn, one being filled while the other is being sent. Nothing
 * else is held, however large the body is and however slow its reader.
 */
import type { ServerResponse } from 'node:http';
import { setImmediate as turnOfOthers } from 'node:timers/promises';

/** A CT slice of 512 x 512 x 16 bits and what goes around it fit one buffer. */
const BUFFER_BYTES = 576 * 1024;
/** Pairs of buffers that wait for the next answer; a fresh pair costs more than the copy of a frame. */
const MAX_KEPT = 8;
const kept: (readonly [Uint8Array, Uint8Array])[] = [];

/** One body. Any failure means that the reader is gone; `end` or nothing is the last call. */
export class Outflow {
  readonly #response: ServerResponse;
  readonly #buffers = kept.pop() ?? ([freshBuffer(), freshBuffer()] as const);
  readonly #gone: Promise<never>;
  /** What is being sent from each buffer. */
  readonly #sending: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()];
  #at: 0 | 1 = 0;
  #used = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#gone = new Promise((_, reject) =>
      response.once('close', () => response.writableFinished || reject(new ReaderGone())),
    );
    // It is waited for only while something is being sent.
    this.#gone.catch(() => undefined);
  }

  /**
   * Lets a read put bytes where the next ones go (at least one byte of room); resolves with their number. A full buffer
   * is sent while the read into the other one is under way.
   */
  async fill(read: (room: Uint8Array) => number | Promise<number>): Promise<number> {
    const full = await this.#turn();
    const reading = read(this.#room());
    if (full !== undefined) this.#send(full);
    const length = await reading;
    this.#used += length;
    return length;
  }

  /** Sends what is left and ends the answer; resolves when the system has it all. */
  async end(): Promise<void> {
    const rest = this.#buffers[this.#at].subarray(0, this.#used);
    const ended = new Promise<void>((resolve) => this.#response.end(rest, resolve));
    await Promise.race([ended, this.#gone]);
    // Buffers of an answer that broke off may still be looked at by the system.
    if (kept.length < MAX_KEPT) kept.push(this.#buffers);
  }

  #room(): Uint8Array {
    return this.#buffers[this.#at].subarray(this.#used);
  }

  /** Turns to the other buffer, once it is sent, when this one is full; gives the full one, which is to be sent. */
  async #turn(): Promise<0 | 1 | undefined> {
    if (this.#used < BUFFER_BYTES) return undefined;
    const full = this.#at;
    this.#at = full === 0 ? 1 : 0;
    await this.#sending[this.#at];
    this.#used = 0;
    // Neither reads nor writes need have waited for anything.
    if (this.#at === 0) await turnOfOthers();
    return full;
  }

  #send(full: 0 | 1): void {
    const sent = new Promise<void>((resolve, reject) => {
      this.#response.write(this.#buffers[full], (error) =>
        error === null || error === undefined ? resolve() : reject(error),
      );
    });
    this.#sending[full] = Promise.race([sent, this.#gone]);
    this.#sending[full].catch(() => undefined);
  }
}

/** The reader closed the connection before the answer ended. */
class ReaderGone extends Error {
  readonly code = 'ERR_STREAM_PREMATURE_CLOSE';

  constructor() {
    super('The reader went away');
  }
}

function freshBuffer(): Uint8Array {
  return Buffer.allocUnsafeSlow(BUFFER_BYTES);
}
