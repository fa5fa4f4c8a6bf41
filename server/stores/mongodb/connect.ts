/** The connection: what is asked of every operation, and what a server must be. */
import { MongoClient, type Db } from 'mongodb';
import { Fault } from '../../../profiles/fault.ts';
import { asStore } from './errors.ts';
import type { MetaDocument } from './documents.ts';
import { inTransaction } from './transaction.ts';

const DEFAULT_DATABASE = 'passerelle';

const NO_REPLICA_SET =
  'MongoDB must run as a replica set (one node is enough) or behind mongos: start mongod with --replSet and ' +
  'initiate the set';

/** What an operator may set otherwise in the URI. */
const LIMITS = {
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  socketTimeoutMS: 60_000,
  waitQueueTimeoutMS: 10_000,
  maxPoolSize: 50,
} as const;

/** Where a store is: the client and the database that its URI names, else `passerelle`. */
export type Connection = { readonly client: MongoClient; readonly db: Db };

/**
 * Connects, and refuses a server on which the stores could not keep their promises.
 * @throws {Fault} not-supported - no replica set and no mongos, or no transactions
 * @throws {Fault} invalid - the URI is none
 * @throws {Fault} transient - the server is out of reach
 */
export async function connect(uri: string): Promise<Connection> {
  const { client, db } = await connectToRead(uri);
  try {
    await requireReplicaSet(db);
    await requireTransactions(client, db);
    return { client, db };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/**
 * Connects without a look at what the server can: nothing is written.
 * @throws {Fault} invalid - the URI is none
 * @throws {Fault} transient - the server is out of reach
 */
export async function connectToRead(uri: string): Promise<Connection> {
  const client = createClient(uri);
  try {
    await asStore(() => client.connect());
    return { client, db: client.db(databaseOf(uri)) };
  } catch (error) {
    await client.close();
    throw error;
  }
}

function createClient(uri: string): MongoClient {
  try {
    return new MongoClient(uri, {
      appName: 'passerelle',
      readConcern: { level: 'majority' },
      writeConcern: { w: 'majority', journal: true },
      readPreference: 'primary',
      retryReads: true,
      retryWrites: true,
      ignoreUndefined: true,
      ...Object.fromEntries(Object.entries(LIMITS).filter(([name]) => !uri.includes(`${name}=`))),
    });
  } catch {
    // The driver's message quotes the URI, which may hold a password.
    throw new Fault('invalid', 'The address of the store is no MongoDB connection string');
  }
}

function databaseOf(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1] ?? DEFAULT_DATABASE;
}

async function requireReplicaSet(db: Db): Promise<void> {
  const hello = await asStore(() => db.admin().command({ hello: 1 }));
  if (typeof hello['setName'] === 'string' || hello['msg'] === 'isdbgrid') return;
  throw new Fault('not-supported', NO_REPLICA_SET);
}

async function requireTransactions(client: MongoClient, db: Db): Promise<void> {
  const meta = db.collection<MetaDocument>('meta');
  try {
    // The collection is made outside: some servers make none inside a transaction.
    await asStore(() => meta.updateOne({ _id: 'probe' }, { $inc: { probes: 1 } }, { upsert: true }));
    await inTransaction({ client, meta }, (session) =>
      meta.updateOne({ _id: 'probe' }, { $inc: { probes: 1 } }, { session }),
    );
  } catch (error) {
    if (error instanceof Fault && error.kind === 'transient') throw error;
    throw new Fault('not-supported', 'MongoDB must be able to run a multi-document transaction, and refused one', {
      cause: error,
    });
  }
}
