/** The clock: epoch milliseconds. Flows take it as a dependency so that tests can move time. */
export type Clock = { now(): number };

/** The system's clock. */
export const systemClock: Clock = { now: () => Date.now() };
