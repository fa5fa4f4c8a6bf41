/** Plays a history on a store and checks it: one server on SQLite, two processes on MongoDB. */
import { faultsOf } from './checker.ts';
import { playHistory, type Playing } from './clients.ts';
import { openHistory } from './history-world.ts';
import { STREAM_BOUNDS } from './slow-stream.ts';

/** Slices of the exam: 16 MB, more than what is on its way when a running answer ends. */
const SLICES = 120;

/**
 * What was wrong, a change that failed (500) included, and how much there was of each kind: changes and reads by their
 * outcome, streams.
 */
export type Checked = { readonly counts: Readonly<Record<string, number>>; readonly faults: readonly string[] };

/** Plays and checks. */
export async function checkHistory(store: string, playing: Playing): Promise<Checked> {
  const world = await openHistory(store, store === 'sqlite' ? 1 : 2, SLICES);
  try {
    const history = await playHistory(world, playing);
    const counts: Record<string, number> = {};
    for (const event of history.events) {
      const kind = event.kind === 'change' ? event.outcome : event.kind === 'read' ? event.saw : 'streams';
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    const failed = history.events.filter(({ name }) => name.endsWith('(500)')).map(({ name }) => name);
    return { counts, faults: [...failed, ...faultsOf(history, STREAM_BOUNDS)] };
  } finally {
    await world.close();
  }
}
