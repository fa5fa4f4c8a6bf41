/** SQLite stores without data, and the indexer, for each test of a file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import { upgradeRecords } from '../../../server/flows/upgrade/upgrade-records.ts';
import type { RegionIndex } from '../../../server/flows/identity/region-index.ts';
import { openLog } from '../../../server/log.ts';
import type { RecordStore } from '../../../server/ports/record-store.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { openSqliteStores, type OpenedStores } from '../../../server/stores/sqlite/open.ts';

/** What is open while a test runs. */
export type FreshStores = {
  readonly records: RecordStore;
  readonly indexer: Indexer;
  /** Takes over what an earlier server kept; `now` is the clock, that of the machine where it is left out. */
  readonly takeOver: (region: RegionIndex, now?: () => number) => Promise<void>;
};

/** Opens them before each test of the suite that calls it, and removes them after it; `name` is in the folder's. */
export function onFreshStores(name: string): FreshStores {
  let stores: OpenedStores;
  let dataDir: string;
  let indexer: Indexer;
  before(async () => ({ indexer } = await loadDefinitions()));
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), `passerelle-${name}-`));
    stores = await openSqliteStores({ dataDir });
  });
  afterEach(async () => {
    await stores.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    get records() {
      return stores.records;
    },
    get indexer() {
      return indexer;
    },
    takeOver: async (region, now = Date.now) => {
      const log = openLog({ level: 'error' })('upgrade');
      await upgradeRecords({ records: stores.records, clock: { now }, indexer, region, log }).run();
    },
  };
}
