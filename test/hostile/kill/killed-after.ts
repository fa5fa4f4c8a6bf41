/** The death of a process at a moment that the test chooses. */
import type { RecordStore } from '../../../server/ports/record-store.ts';

/** Has this process killed as soon as its store has committed so many plans. */
export function killedAfter(records: RecordStore, commits: number): void {
  const commit = records.commit.bind(records);
  let left = commits;
  Object.assign(records, {
    commit: async (...order: Parameters<typeof commit>) => {
      const receipt = await commit(...order);
      left -= 1;
      if (left === 0) process.kill(process.pid, 'SIGKILL');
      return receipt;
    },
  });
}
