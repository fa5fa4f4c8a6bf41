/** The embedded store under the contracts of its ports. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStores } from '../../server/stores/sqlite/open.ts';
import { openThrough, type OpenedStores } from '../support/stores.ts';
import { auditTrailContract } from './audit-trail.contract.ts';
import { derivedRightsContract } from './derived-rights.contract.ts';
import { eachTypeContract } from './each-type.contract.ts';
import { equivalenceContract } from './equivalence.contract.ts';
import { eventSearchContract } from './event-search.contract.ts';
import { jobQueueContract } from './job-queue.contract.ts';
import { recordStoreContract } from './record-store.contract.ts';
import { requesterContract } from './requester.contract.ts';
import { searchIndexContract } from './search-index.contract.ts';
import { tokenStoreContract } from './token-store.contract.ts';
import { warrantsContract } from './warrants.contract.ts';

async function open(): Promise<OpenedStores> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-sqlite-'));
  return await openThrough({
    open: async () => await openSqliteStores({ dataDir }),
    remove: async () => await rm(dataDir, { recursive: true, force: true }),
  });
}

recordStoreContract('SQLite', open);
auditTrailContract('SQLite', open);
eventSearchContract('SQLite', open);
tokenStoreContract('SQLite', open);
requesterContract('SQLite', open);
jobQueueContract('SQLite', open);
equivalenceContract('SQLite', open);
derivedRightsContract('SQLite', open);
eachTypeContract('SQLite', open);
warrantsContract('SQLite', open);
searchIndexContract('SQLite', open);
