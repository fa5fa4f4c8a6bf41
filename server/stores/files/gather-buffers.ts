/**
 * Buffers in which the bytes of blobs are gathered, used again and again. Chunks that are kept until they are written
 * outlive the collections that are cheap, so tens of megabytes of them wait for one that is not.
 */

/** As many are kept as blobs are commonly written at a time. */
const MOST_SPARE = 8;

/** The buffers of a store. */
export class GatherBuffers {
  readonly #bytes: number;
  readonly #spare: Uint8Array[] = [];

  /** Each buffer has so many bytes. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Takes one; what it holds means nothing. */
  take(): Uint8Array {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  /** Gives one back that nothing reads or writes any more. */
  giveBack(buffer: Uint8Array): void {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(buffer);
  }
}
