/**
 * A job indexes rows anew that are indexed under another definition than this server's, some at a time, while
 * everything else goes on. Each row tells whether it is done, so the job may be cut short anywhere.
 */
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { versionsOf, type IndexDefinition } from '../../../profiles/search/index-definition.ts';
import type { IndexDefinitions, Indexer } from '../../../profiles/search/indexer.ts';
import { sortKeyOf } from '../../../profiles/search/sort-key.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { systemGrant } from '../../access/grant.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports/clock.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { ReindexedRow, SearchIndex, StaleRow } from '../../ports/search-index.ts';
import type { JobWork } from '../jobs/job-runner.ts';
import { readDefinitions, type KnownDefinitions } from './known-definitions.ts';
import type { ServedParameters } from './served-parameters.ts';

/** What the story needs. */
export type ReindexRowsDeps = {
  readonly index: SearchIndex;
  readonly served: Pick<ServedParameters, 'look'>;
  readonly indexer: Indexer;
  readonly definitions: IndexDefinitions;
  readonly clock: Clock;
  readonly log: Log;
};

/** The writer takes some milliseconds for so many rows, for which a commit may have to wait. */
const ROWS_AT_ONCE = 100;
/** Requests have their turn after so many. */
const ROWS_A_TURN = 4;
const ROWS_A_LINE = 10_000;
/** The server that is to do it looks for jobs more often. */
const ELSEWHERE_MS = 3_000;

/** Makes the work. Its subject is the type of the rows. */
export function reindexRows(deps: ReindexRowsDeps): JobWork<'reindex'> {
  return async ({ subject }, run) => {
    const definition = deps.definitions.get(subject as StoredType);
    // A type that is no more has no rows to find.
    if (definition === undefined) return undefined;
    const known = await readDefinitions(deps.index);
    if (!known.isWanted(definition)) return { againAt: deps.clock.now() + ELSEWHERE_MS };
    await reindexType(deps, definition, known, run.goOn);
    await deps.served.look();
    return undefined;
  };
}

async function reindexType(
  { index, indexer, clock, log }: ReindexRowsDeps,
  definition: IndexDefinition,
  known: KnownDefinitions,
  goOn: () => Promise<void>,
): Promise<void> {
  const { type } = definition;
  const current = versionsOf(definition);
  let left = await index.countStale(type, current);
  log.info({ type, left }, 'rows are to be indexed anew');
  for (let [done, limit] = [0, ROWS_AT_ONCE]; ;) {
    await goOn();
    const began = performance.now();
    const rows = await index.stale(systemGrant('reindex', 'whole', clock.now()), type, current, limit);
    if (rows.length === 0) break;
    const changed = await changedOf(index, await indexed(rows, { indexer, definition, known }));
    if (changed === 0 && limit === 1)
      throw new Fault('transient', 'Rows that are to be indexed anew change all the time');
    limit = changed === 0 ? Math.ceil(limit / 4) : Math.min(ROWS_AT_ONCE, 2 * limit);
    if (Math.floor((done + changed) / ROWS_A_LINE) > Math.floor(done / ROWS_A_LINE))
      log.info({ type, done: done + changed, left: Math.max(0, left - changed) }, 'rows are indexed anew');
    [done, left] = [done + changed, left - changed];
    // Half of a processor at most.
    await pause(performance.now() - began);
  }
  log.info({ type }, 'all rows are indexed anew');
}

/** Of rows that others write at the same moment fewer are tried. */
async function changedOf(index: SearchIndex, rows: readonly ReindexedRow[]): Promise<number> {
  return await index.reindex(rows).catch((error: unknown) => {
    if (rows.length > 1 && error instanceof Fault && error.kind === 'transient') return 0;
    throw error;
  });
}

type Indexing = {
  readonly indexer: Indexer;
  readonly definition: IndexDefinition;
  readonly known: KnownDefinitions;
};

async function indexed(rows: readonly StaleRow[], how: Indexing): Promise<readonly ReindexedRow[]> {
  const all: ReindexedRow[] = [];
  for (const row of rows) {
    if (all.length % ROWS_A_TURN === 0) await setImmediate();
    all.push(indexedRow(row, how));
  }
  return all;
}

/** A row without a date of its own keeps its place unless lists are sorted otherwise now. */
function indexedRow(
  { json, definition: former, ...row }: StaleRow,
  { indexer, definition, known }: Indexing,
): ReindexedRow {
  const resource = asPut(openedResource<Resource>({ json }));
  const isSortedSo = known.find(row.type, former)?.sort === definition.sort;
  const sort = isSortedSo ? row.sort : sortKeyOf(resource, row.updated);
  return { ...row, sort, index: indexer(resource) };
}

/** A resource as it is put: the store's own stamp is searched where the store keeps it. */
function asPut({ meta, ...resource }: Resource): Resource {
  const { versionId: _version, lastUpdated: _updated, ...kept } = meta ?? {};
  return { ...resource, meta: kept } as Resource;
}
