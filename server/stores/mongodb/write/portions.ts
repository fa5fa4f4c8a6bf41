/**
 * Work on many documents goes in portions: the driver writes and reads a command in one turn of the event loop, and
 * whoever asks for anything else waits for it.
 */

import { setImmediate as turnOfOthers } from 'node:timers/promises';

/** Documents of a portion: rows have some ten thousand characters, others a few hundred. */
export const PORTION = { rows: 50, others: 400 } as const;

/** Parts an array into portions, in order. */
export function portionsOf<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}

/** Portions of an array, in order, each in a turn of its own: others are served between them. */
export async function* portionsInTurns<T>(all: readonly T[], size: number): AsyncGenerator<readonly T[], void> {
  for (const [at, portion] of portionsOf(all, size).entries()) {
    if (at > 0) await turnOfOthers();
    yield portion;
  }
}
