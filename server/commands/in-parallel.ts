/** Works on items as they come, so many at a time. */

/** How many workers there are, what ends them early, and what each does when there is no more for it. */
export type Parallel = {
  readonly count: number;
  readonly signal: AbortSignal;
  readonly leave?: (worker: number) => Promise<void>;
};

/** Resolves when all are done. The first failure ends it, and so does the signal, once what is under way has ended. */
export async function inParallel<T>(
  items: AsyncIterable<T>,
  { count, signal, leave }: Parallel,
  work: (item: T, worker: number) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  const failed = new AbortController();
  const ending = AbortSignal.any([signal, failed.signal]);
  const run = async (worker: number): Promise<void> => {
    try {
      for (let next = await iterator.next(); next.done !== true && !ending.aborted; next = await iterator.next())
        await work(next.value, worker);
    } catch (error) {
      failed.abort();
      throw error;
    } finally {
      await leave?.(worker);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: count }, async (_, worker) => await run(worker)));
  await iterator.return?.();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
