/** Work that waits in a table of its own and is done in batches, each of them a transaction. */
import { storageTrouble } from '../database.ts';

/** A queue; what the disk does not take now waits, durable, for the next time. */
export abstract class DurableQueue {
  #isBehind = false;

  /** Does the next batch; answers whether there was one. */
  protected abstract doSome(): boolean;

  /** Whether entries wait since they could not be done. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Does all that waits. When it throws, the rest waits. */
  drain(): void {
    this.#isBehind = true;
    while (this.doSome());
    this.#isBehind = false;
  }

  /** Does all that waits; when the disk is in trouble, the rest waits. */
  tryDrain(): void {
    try {
      this.drain();
    } catch (error) {
      if (storageTrouble(error) === undefined) throw error;
    }
  }
}
