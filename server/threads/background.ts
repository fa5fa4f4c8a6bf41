/** Work beside requests: one task that repeats, can be hurried, and ends when it is told to. */

/** A repeating task. */
export type Repeating = {
  /** Runs it soon. */
  hurry(): void;
  /** Lets the running turn finish, then ends. */
  stop(): Promise<void>;
};

/** Repeats a task, a pause after each turn; a turn that fails is told and the next one comes all the same. */
export function repeat(
  task: (signal: AbortSignal) => Promise<unknown>,
  pauseMs: number,
  failed: (error: unknown) => void,
): Repeating {
  const stopping = new AbortController();
  let wake: () => void = () => undefined;
  let hurried = false;
  const pause = async (): Promise<void> => {
    if (hurried || stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      hurried = false;
      await task(stopping.signal).catch(failed);
      await pause();
    }
  };
  const running = loop();
  return {
    hurry: () => {
      hurried = true;
      wake();
    },
    stop: async () => {
      stopping.abort();
      wake();
      await running;
    },
  };
}
