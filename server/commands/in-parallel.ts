/** Works on items as they come, so many at a time. */

/** Resolves when all are done. The first failure ends it, and so does the signal, once what is under way has ended. */
export async function inParallel<T>(items: AsyncIterable<T>, { count, signal }: { readonly count: number; readonly signal: AbortSignal }, work: (item: T, worker: number) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  let failed = false;
  const run = async (worker: number): Promise<void> => {
    try {
      for (let next = await iterator.next(); next.done !== true && !failed && !signal.aborted; next = await iterator.next()) await work(next.value, worker);
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: count }, async (_, worker) => await run(worker)));
  await iterator.return?.();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
