/**
 * Loaded before the server (`--import`): writes a line to the file that `TURNS` names for each turn of its main thread
 * that took the processor for a millisecond or more. Whoever asks for something waits for the turn that is
 * under way. The time is the thread's own, whatever else the machine does. The product knows nothing of it.
 */
import { openSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** A turn: when it ended (epoch milliseconds), and milliseconds of processor. */
export type Turn = { readonly at: number; readonly ms: number };

const LEAST_MS = 1;

if (isMainThread) {
  const file = openSync(process.env['TURNS'] ?? '/dev/null', 'a');
  let before = threadMs();
  const tick = (): void => {
    const now = threadMs();
    const turn: Turn = { at: Date.now(), ms: now - before };
    if (turn.ms >= LEAST_MS) writeSync(file, `${JSON.stringify(turn)}\n`);
    before = now;
  };
  setInterval(tick, 1).unref();
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
