/** Plays a history on a store and checks it: one server on SQLite, two processes on MongoDB. */
import { faultsOf, forbiddenStreams } from './checker.ts';
import { NEEDED, playHistory, type Playing } from './clients.ts';
import { kindOf, type Change, type History } from './history.ts';
import { openHistory } from './history-world.ts';
import { STREAM_BOUNDS } from './slow-stream.ts';

/** Slices of the exam: 16 MB, more than what is on its way when a running answer ends. */
const SLICES = 120;

/**
 * So many of what is asked may be answered 503 on MongoDB, or by the end of an idle connection: two servers meet in one
 * record. On SQLite none may.
 */
const MOST_BUSY = 3 / 4;

/** What was wrong, and how much there was of each kind, and of streams that were forbidden while they ran. */
export type Checked = {
  readonly counts: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
  /** What the history does not have. */
  readonly lacking: readonly string[];
};

/** Plays and checks. */
export async function checkHistory(store: string, playing: Playing): Promise<Checked> {
  const world = await openHistory(store, store === 'sqlite' ? 1 : 2, SLICES);
  try {
    // The few changes on MongoDB may meet no stream.
    const needed = store === 'sqlite' ? NEEDED : NEEDED.filter((kind) => kind !== 'stream cut');
    const history = await playHistory(world, { ...playing, needed });
    const counts: Record<string, number> = { forbiddenStreams: forbiddenStreams(history).length };
    for (const event of history.events) {
      const kind = kindOf(event);
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    const changes = history.events.filter((event) => event.kind === 'change');
    const mostOf = (all: number): number => (store === 'sqlite' ? 0 : Math.ceil(all * MOST_BUSY));
    const faults = [
      ...faultsOfChanges(changes, mostOf(changes.length)),
      ...faultsOfReads(history.events, mostOf),
      ...faultsOf(history, STREAM_BOUNDS),
    ];
    return { counts, faults, lacking: lackingOf(counts, needed) };
  } finally {
    await world.close();
  }
}

function lackingOf(counts: Checked['counts'], needed: readonly string[]): readonly string[] {
  const kindsOf = (one: string): readonly string[] => [one, `${one} done`, `${one} unknown`];
  return needed.filter((one) => kindsOf(one).every((kind) => (counts[kind] ?? 0) === 0));
}

/** So many reads may be busy (503). */
function faultsOfReads(events: History['events'], mostOf: (all: number) => number): readonly string[] {
  const reads = events.filter((event) => event.kind === 'read');
  const busy = reads.filter(({ saw }) => saw === 'busy');
  return busy.length > mostOf(reads.length) ? [`${busy.length} of ${reads.length} reads were busy`] : [];
}

/**
 * No change fails, is left without an answer or refused. So many may be busy (503); what is made of each later may be
 * refused, as it may have been done.
 */
function faultsOfChanges(changes: readonly Change[], mostBusy: number): readonly string[] {
  const isBusy = ({ name, outcome }: Change): boolean =>
    name.endsWith('(503)') || (mostBusy > 0 && outcome === 'unknown');
  const failed = changes.filter((one) => one.outcome === 'unknown' && !isBusy(one)).map(({ name }) => name);
  const busy = changes.filter(isBusy).map(({ name }) => name);
  const refused = changes.filter(({ outcome }) => outcome === 'refused').map(({ name }) => name);
  return [
    ...failed,
    ...(busy.length > mostBusy ? [`${busy.length} of ${changes.length} were busy`, ...busy] : []),
    ...(refused.length > busy.length ? refused : []),
  ];
}
