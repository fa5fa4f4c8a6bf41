/** How a run of tests, a bench or a proof ends when it is told to: with all that it started, servers and peers. */
import { endWithNpm } from '../../../server/runtime/end-with-npm.ts';
import { treeOf } from './process-tree.ts';

/** On SIGTERM or SIGINT, or when npm is gone, ends every process below this one, then this one by the same signal. */
export function endWithChildren(): void {
  endWithNpm();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      for (const pid of treeOf(process.pid).slice(1)) terminate(pid);
      process.kill(process.pid, signal);
    });
  }
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended meanwhile.
  }
}
