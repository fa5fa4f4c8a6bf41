/**
 * Memory that is used again for the next frame: fresh megabytes for each, and their collection, cost a third of a
 * picture. Its bytes are those of the last use.
 */
export class Scratch {
  #kept = new Uint8Array(0);

  /** So many bytes, which are the taker's until they are given back. */
  take(length: number): Uint8Array {
    const kept = this.#kept;
    if (kept.length < length) return new Uint8Array(length);
    this.#kept = new Uint8Array(0);
    return kept.subarray(0, length);
  }

  /** Gives bytes back that nothing looks at any more. What is too large to lie idle is let go. */
  giveBack({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && buffer.byteLength <= MOST_KEPT_BYTES) this.#kept = new Uint8Array(buffer);
  }
}

/** A radiograph of 16 million pixels. */
const MOST_KEPT_BYTES = 32 * 1024 * 1024;
