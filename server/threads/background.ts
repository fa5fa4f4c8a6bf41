/** Work beside requests: one task that repeats, and ends when it is told to. */

/** A repeating task. */
export type Repeating = {
  /** Lets the running turn finish, then ends. */
  stop(): Promise<void>;
};

/** Repeats a task, a pause after each turn; a turn that fails is told and the next one comes all the same. */
export function repeat(task: () => Promise<unknown>, pauseMs: number, failed: (error: unknown) => void): Repeating {
  const stopping = new AbortController();
  const pause = async (): Promise<void> => {
    if (stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      stopping.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await task().catch(failed);
      await pause();
    }
  };
  const running = loop();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
