/** Plays a history on a store and checks it: one server on SQLite, two processes on MongoDB. */
import { faultsOf, forbiddenStreams } from './checker.ts';
import { NEEDED, playHistory, type Playing } from './clients.ts';
import { kindOf, type Change, type History } from './history.ts';
import { openHistory } from './history-world.ts';
import { STREAM_BOUNDS } from './slow-stream.ts';

/** Slices of the exam: 16 MB, more than what is on its way when a running answer ends. */
const SLICES = 120;

/** What share of what is asked may be left undone; `unanswered`: by the end of an idle connection, too. */
type Allowed = { readonly busy: number; readonly unanswered: boolean };

const NOTHING: Allowed = { busy: 0, unanswered: false };
/** Two servers meet in one record. */
const ON_REPLICA_SET: Allowed = { busy: 1 / 4, unanswered: false };
/**
 * The peer that the tests install holds one lock over all transactions while one of them waits: every command, the
 * reading ones too, then takes up to 17 s while its process is idle.
 */
const ON_PEER: Allowed = { busy: 3 / 4, unanswered: true };

function allowedOn(store: string): Allowed {
  if (store === 'sqlite') return NOTHING;
  return process.env.PASSERELLE_TEST_MONGODB === undefined ? ON_PEER : ON_REPLICA_SET;
}

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
    const allowed = allowedOn(store);
    const faults = [
      ...faultsOfChanges(changes, allowed),
      ...faultsOfReads(history.events, allowed),
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
function faultsOfReads(events: History['events'], { busy: share }: Allowed): readonly string[] {
  const reads = events.filter((event) => event.kind === 'read');
  const busy = reads.filter(({ saw }) => saw === 'busy');
  return busy.length > Math.ceil(reads.length * share) ? [`${busy.length} of ${reads.length} reads were busy`] : [];
}

/**
 * No change fails, is left without an answer or refused. So many may be busy (503); what is made of each later may be
 * refused, as it may have been done.
 */
function faultsOfChanges(changes: readonly Change[], { busy: share, unanswered }: Allowed): readonly string[] {
  const mostBusy = Math.ceil(changes.length * share);
  const isBusy = ({ name, outcome }: Change): boolean =>
    name.endsWith('(503)') || (unanswered && name.includes('(no answer') && outcome === 'unknown');
  const failed = changes.filter((one) => one.outcome === 'unknown' && !isBusy(one)).map(({ name }) => name);
  const busy = changes.filter(isBusy).map(({ name }) => name);
  const refused = changes.filter(({ outcome }) => outcome === 'refused').map(({ name }) => name);
  return [
    ...failed,
    ...(busy.length > mostBusy ? [`${busy.length} of ${changes.length} were busy`, ...busy] : []),
    ...(refused.length > busy.length ? refused : []),
  ];
}
