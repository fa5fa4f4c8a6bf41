/**
 * Calls that read what the system most often has in memory. To hand such a call to another thread costs as much as the
 * call, so it is made here, until one has waited for the disk: for a while after it they are handed over, so that nobody
 * else waits for the disk.
 */
import { resourceUsage } from 'node:process';

/** Half a megabyte is copied from memory in a tenth of it; what takes longer waited for the disk, or for a core. */
const WAITED_MS = 1;
const HANDED_OVER_MS = 60_000;

let hereAgainAt = 0;
let diskReads = 0;

/** Makes a call on this thread, or where it is handed over to. */
export function hereOrHandedOver<Result>(here: () => Result, handedOver: () => Promise<Result>): Result | Promise<Result> {
  const began = performance.now();
  if (began < hereAgainAt) return handedOver();
  const result = here();
  const ended = performance.now();
  if (ended - began > WAITED_MS && diskWasRead()) hereAgainAt = ended + HANDED_OVER_MS;
  return result;
}

/** Whether this process has read from the disk since this was asked before: it did when a call waited for the disk. */
function diskWasRead(): boolean {
  const before = diskReads;
  diskReads = resourceUsage().fsRead;
  return diskReads > before;
}
