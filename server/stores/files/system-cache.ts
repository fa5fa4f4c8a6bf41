/**
 * Calls that read what the system most often has in memory. To hand such a call to another thread costs as much as the
 * call, so it is made here, until one has waited for the disk: for a while after it they are handed over, so that
 * nobody else waits for the disk.
 */
import { resourceUsage } from 'node:process';

/** Half a megabyte is copied from memory in a tenth of it; what takes longer waited for the disk, or for a core. */
const WAITED_MS = 1;
const HANDED_OVER_MS = 60_000;

let hereAgainAt = 0;

/** Makes a call on this thread, or where it is handed over to. */
export function hereOrHandedOver<Result>(
  here: () => Result,
  handedOver: () => Promise<Result>,
): Result | Promise<Result> {
  const began = performance.now();
  if (began < hereAgainAt) return handedOver();
  const before = resourceUsage().fsRead;
  const result = here();
  const ended = performance.now();
  // A call that took long while nothing was read from the disk waited for a core.
  if (ended - began > WAITED_MS && resourceUsage().fsRead > before) hereAgainAt = ended + HANDED_OVER_MS;
  return result;
}
