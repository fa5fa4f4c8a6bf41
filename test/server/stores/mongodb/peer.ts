/**
 * The server that the tests of the MongoDB adapter share in one file: stores over fresh databases, faults on demand.
 */
import { MongoClient, type Document } from 'mongodb';
import { openMongoStores, type MongoStores } from '../../../../server/stores/mongodb/open.ts';
import { startMongoPeer, type MongoPeer } from '../../../support/peers/mongodb-peer.ts';

/** The server of a running suite. */
export type RunningPeer = {
  freshUri(): string;
  /** Opens stores that are closed after the suite. */
  open(uri: string): Promise<MongoStores>;
  /** A plain client, closed after the suite. */
  client(uri: string): Promise<MongoClient>;
  /**
   * Lets commands fail while work runs.
   * @see https://github.com/mongodb/mongo/wiki/The-%22failCommand%22-fail-point
   */
  failing<T>(times: number, data: Document, work: () => Promise<T>): Promise<T>;
};

/** Starts the server before the tests of the present `describe`, or skips them. */
export function usePeer(): RunningPeer {
  let running: MongoPeer | undefined;
  const closing: (() => Promise<void>)[] = [];
  const peer = (): MongoPeer => {
    if (running === undefined) throw new Error('The server is not running');
    return running;
  };
  before(async function () {
    this.timeout(30_000);
    running = await startMongoPeer();
    if (running === undefined) this.skip();
  });
  after(async () => {
    for (const close of closing.toReversed()) await close();
    await running?.stop();
  });
  const connect = async (uri: string): Promise<MongoClient> => {
    const client = await new MongoClient(uri).connect();
    closing.push(async () => await client.close());
    return client;
  };
  return {
    freshUri: () => peer().freshUri(),
    client: connect,
    async open(uri) {
      const stores = await openMongoStores({ uri });
      closing.push(async () => await stores.close());
      return stores;
    },
    async failing(times, data, work) {
      const admin = (await connect(peer().freshUri())).db('admin');
      await admin.command({ configureFailPoint: 'failCommand', mode: { times }, data });
      try {
        return await work();
      } finally {
        await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
      }
    },
  };
}
