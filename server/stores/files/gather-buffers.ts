/**
 * Buffers in which the bytes of blobs are gathered, used again and again. Chunks that are kept until they are written
 * outlive the collections that are cheap, so tens of megabytes of them wait for one that is not.
 */

/** A write to the disk for each PDU would be most of the work. */
export const GATHERED_BYTES = 256 * 1024;

/** As many are kept as blobs are commonly written at a time. */
const MOST_SPARE = 8;

/** The buffers of a store. */
export class GatherBuffers {
  readonly #spare: Uint8Array[] = [];

  /** Takes one of {@link GATHERED_BYTES}; what it holds means nothing. */
  take(): Uint8Array {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(GATHERED_BYTES);
  }

  /** Gives one back that nothing reads or writes any more. */
  giveBack(buffer: Uint8Array): void {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(buffer);
  }
}
