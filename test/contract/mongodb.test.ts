/** The store on MongoDB under the contracts of its ports. Skipped, with the reason in its name, without a server. */
import { openMongoStores } from '../../server/stores/mongodb/open.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
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

const reason = whyNoMongoPeer();
const suite = reason === undefined ? describe : describe.skip;

suite(reason === undefined ? 'MongoDB' : `MongoDB: skipped, ${reason}`, () => {
  let peer: MongoPeer | undefined;

  before(async function () {
    this.timeout(120_000);
    peer = await startMongoPeer();
  });
  after(async () => {
    await peer?.stop();
  });

  async function open(): Promise<OpenedStores> {
    const server = peer;
    if (server === undefined) throw new Error('The MongoDB server is not running');
    const uri = server.freshUri();
    return await openThrough({
      open: async () => await openMongoStores({ uri }),
      remove: async () => await server.drop(uri),
    });
  }

  recordStoreContract('MongoDB', open);
  auditTrailContract('MongoDB', open);
  eventSearchContract('MongoDB', open);
  tokenStoreContract('MongoDB', open);
  requesterContract('MongoDB', open);
  jobQueueContract('MongoDB', open);
  equivalenceContract('MongoDB', open);
  derivedRightsContract('MongoDB', open);
  eachTypeContract('MongoDB', open);
  warrantsContract('MongoDB', open);
  searchIndexContract('MongoDB', open);
});
