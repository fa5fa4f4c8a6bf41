/** How often an address may fail at the token endpoint: a fixed window, bounded memory. */
import type { Clock } from '../../ports/clock.ts';

const WINDOW_MS = 60_000;
const MAX_FAILURES = 120;
const MAX_ADDRESSES = 10_000;

/** Counts failures by address. */
export type FailureLimit = {
  /** Seconds to wait, or 0 when the address may go on. */
  waitSeconds(address: string): number;
  countFailure(address: string): void;
};

/** Makes a limit of 120 failures a minute; above 10,000 addresses in a minute the count starts again. */
export function failureLimit(clock: Clock): FailureLimit {
  const failures = new Map<string, number>();
  let endsAt = 0;
  const turn = () => {
    if (clock.now() < endsAt && failures.size < MAX_ADDRESSES) return;
    failures.clear();
    endsAt = clock.now() + WINDOW_MS;
  };
  return {
    waitSeconds(address) {
      turn();
      return (failures.get(address) ?? 0) < MAX_FAILURES ? 0 : Math.ceil((endsAt - clock.now()) / 1000);
    },
    countFailure(address) {
      turn();
      failures.set(address, (failures.get(address) ?? 0) + 1);
    },
  };
}
