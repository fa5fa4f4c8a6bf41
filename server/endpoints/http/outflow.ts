/**
 * The body of an answer on its way out: two buffers in turn, one being filled while the other is being sent. Nothing
 * else is held, however large the body is and however slow its reader.
 */
import type { ServerResponse } from 'node:http';

/** A CT slice of 512 x 512 x 16 bits and what goes around it fit one buffer. */
const BUFFER_BYTES = 576 * 1024;
/** Pairs of buffers that wait for the next answer; a fresh pair costs more than the copy of a frame. */
const MAX_KEPT = 8;
const kept: (readonly [Uint8Array, Uint8Array])[] = [];

/** One body. Any failure means that the reader is gone; `end` or nothing is the last call. */
export class Outflow {
  readonly #response: ServerResponse;
  readonly #buffers = kept.pop() ?? [freshBuffer(), freshBuffer()] as const;
  readonly #gone: Promise<never>;
  /** What is being sent from each buffer. */
  readonly #sending: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()];
  #at: 0 | 1 = 0;
  #used = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#gone = new Promise((_, reject) => response.once('close', () => reject(new ReaderGone())));
    // It is waited for only while something is being sent.
    this.#gone.catch(() => undefined);
  }

  /** Where the next bytes go: at least one byte of room. Say by `filled` how many were put there. */
  async room(): Promise<Uint8Array> {
    if (this.#used === BUFFER_BYTES) await this.#send();
    return this.#buffers[this.#at].subarray(this.#used);
  }

  /** Takes what was put into the room. */
  filled(length: number): void {
    this.#used += length;
  }

  /** Takes a copy of bytes. */
  async add(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const room = await this.room();
      const part = bytes.subarray(at, at + room.length);
      room.set(part);
      this.filled(part.length);
      at += part.length;
    }
  }

  /** Sends what is left and ends the answer; resolves when the system has it all. */
  async end(): Promise<void> {
    const rest = this.#buffers[this.#at].subarray(0, this.#used);
    const ended = new Promise<void>((resolve) => this.#response.end(rest, resolve));
    await Promise.race([ended, this.#gone]);
    // Buffers of an answer that broke off may still be looked at by the system.
    if (kept.length < MAX_KEPT) kept.push(this.#buffers);
  }

  async #send(): Promise<void> {
    const bytes = this.#buffers[this.#at].subarray(0, this.#used);
    const sent = new Promise<void>((resolve, reject) => {
      this.#response.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
    this.#sending[this.#at] = Promise.race([sent, this.#gone]);
    this.#sending[this.#at].catch(() => undefined);
    this.#at = this.#at === 0 ? 1 : 0;
    await this.#sending[this.#at];
    this.#used = 0;
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
