/** Turns: work of this process on the same keys runs one after the other, so that it need not conflict and repeat. */

/** Gives turns. Work on different keys runs side by side; nobody waits in a circle, as all keys are taken at once. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs work when all earlier work on any of the keys has ended. */
  async take<T>(keys: ReadonlySet<string>, work: () => Promise<T>): Promise<T> {
    const earlier = [...keys].map((key) => this.#last.get(key));
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const key of keys) this.#last.set(key, promise);
    try {
      await Promise.all(earlier);
      return await work();
    } finally {
      for (const key of keys) if (this.#last.get(key) === promise) this.#last.delete(key);
      resolve();
    }
  }
}
