/** A second reading of instances, in their order, while an answer is sent. */
import type { ShownInstance } from '../../ports/record-store.ts';

/** Reads on to one instance after the other. */
export class InstanceReading {
  readonly #rows: AsyncIterable<ShownInstance>;
  #iterator: AsyncIterator<ShownInstance> | undefined;

  constructor(rows: AsyncIterable<ShownInstance>) {
    this.#rows = rows;
  }

  /** Reads on to an instance; undefined when it is not there any more. Rows are asked for in their own order. */
  async find(sopInstanceUID: string): Promise<ShownInstance | undefined> {
    this.#iterator ??= this.#rows[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await this.#iterator.next();
      if (done === true) return undefined;
      if (value.sopInstanceUID === sopInstanceUID) return value;
    }
  }
}
