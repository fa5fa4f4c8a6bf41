/** Two server processes on one MongoDB and one folder of images, with an exam that both took a part of. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { clientToken, signIn } from '../../../fixtures/sign-in.ts';
import { eventually } from '../../support/clients/fhir-caller.ts';
import { startMongoPeer } from '../../support/peers/mongodb-peer.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import type { Sent } from './door.ts';
import { makeExam } from './exam.ts';
import type { Access } from './fhir.ts';
import { publish } from './world.ts';

/** Somebody's access through each server, with the token that this server gave. */
export type Both = { readonly a: Access; readonly b: Access };

/** The servers and what they hold. `sealedByA` is the name under which the first server seals the trail. */
export type TwoServers = Sent & {
  readonly a: TestServer;
  readonly b: TestServer;
  readonly uri: string;
  readonly mongo: MongoClient;
  readonly sealedByA: string;
  readonly author: Both;
  readonly patient: Both;
  readonly declared: Both;
  close(): Promise<void>;
};

/** Starts the first server, then the second; images go to the first and the report to the second. */
export async function openTwoServers(slices: number): Promise<TwoServers> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-two-'));
  const store = peer.freshUri();
  const mongo = await MongoClient.connect(store);
  const servers: TestServer[] = [];
  const close = async (): Promise<void> => {
    await mongo.close();
    for (const server of servers) await server.stop();
    await peer.stop(store);
    await rm(dataDir, { recursive: true, force: true });
  };
  const start = async (): Promise<TestServer> => {
    const server = await startServer({ store, dataDir });
    servers.push(server);
    return server;
  };
  try {
    const a = await start();
    const client = ESTABLISHMENTS.strasbourg.clientId;
    await clientToken({ url: a.url, client });
    const sealedByA = await eventually(async () => await sealerOf(mongo));
    const b = await start();
    const author = {
      a: { url: a.url, token: await clientToken({ url: a.url, client }) },
      b: { url: b.url, token: await clientToken({ url: b.url, client }) },
    };
    const exam = await makeExam(slices);
    const published = await publish(a, author.b, exam);
    return {
      a,
      b,
      uri: store,
      mongo,
      sealedByA,
      exam,
      ...published,
      author,
      patient: await onBoth(a, b, 'demo-patient'),
      declared: await onBoth(a, b, 'demo-declared'),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function onBoth(a: TestServer, b: TestServer, person: string): Promise<Both> {
  return {
    a: { url: a.url, token: await signIn({ url: a.url, person }) },
    b: { url: b.url, token: await signIn({ url: b.url, person }) },
  };
}

/** The server that sealed last, by the name that it gave itself; undefined before the first one did. */
export async function sealerOf(mongo: MongoClient): Promise<string | undefined> {
  return (await mongo.db().collection<{ _id: string; holder: string }>('leases').findOne({ _id: 'sealer' }))?.holder;
}

/** How many events wait to be sealed. */
export async function unsealed(mongo: MongoClient): Promise<number> {
  return await mongo.db().collection('audit_events').countDocuments({ pending: true });
}

/** How many jobs are under way, or will be within some seconds. */
export async function underWay(mongo: MongoClient): Promise<number> {
  return await mongo
    .db()
    .collection('jobs')
    .countDocuments({ at: { $lte: Date.now() + 3_000 } });
}
