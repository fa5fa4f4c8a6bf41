/** Turns: work of this process on the same keys runs one after the other, so that it need not conflict and repeat. */
import { Fault } from '../../../../profiles/fault.ts';

/** With what a transaction may take itself, less than a connection lasts on which nothing moves. */
const LONGEST_WAIT_MS = 30_000;

/** Gives turns. Work on different keys runs side by side; nobody waits in a circle, as all keys are taken at once. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();
  readonly #longestWait: number;

  /** Nobody waits for a turn longer than so many milliseconds. */
  constructor(longestWait = LONGEST_WAIT_MS) {
    this.#longestWait = longestWait;
  }

  /**
   * Runs work when all earlier work on any of the keys has ended.
   * @throws {Fault} transient - earlier work goes on for too long; nothing was done
   */
  async take<T>(keys: ReadonlySet<string>, work: () => Promise<T>): Promise<T> {
    const earlier = Promise.all([...keys].map((key) => this.#last.get(key)));
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const key of keys) this.#last.set(key, promise);
    const leave = (): void => {
      for (const key of keys) if (this.#last.get(key) === promise) this.#last.delete(key);
      resolve();
    };
    if (!(await endsWithin(earlier, this.#longestWait))) {
      // Later work waits on for what is before it.
      void earlier.then(leave);
      throw new Fault('transient', 'The store is busy with earlier work on the same; try again');
    }
    try {
      return await work();
    } finally {
      leave();
    }
  }
}

async function endsWithin(earlier: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, milliseconds, false);
  try {
    return await Promise.race([earlier.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
