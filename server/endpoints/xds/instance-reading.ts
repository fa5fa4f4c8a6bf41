/** A second reading of instances, in their order, while an answer is sent. */
import type { InstanceRow } from '../../ports/commit-plan.ts';

/** Reads on to one instance after the other. */
export class InstanceReading {
  readonly #rows: AsyncIterable<InstanceRow>;
  #iterator: AsyncIterator<InstanceRow> | undefined;

  constructor(rows: AsyncIterable<InstanceRow>) {
    this.#rows = rows;
  }

  /** Reads on to an instance; undefined when it is not there any more. Rows are asked for in their own order. */
  async find(sopInstanceUID: string): Promise<InstanceRow | undefined> {
    this.#iterator ??= this.#rows[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await this.#iterator.next();
      if (done === true) return undefined;
      if (value.sopInstanceUID === sopInstanceUID) return value;
    }
  }
}
