import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openMongoStores } from '../../../../server/stores/mongodb/open.ts';
import { expectFault } from '../../../support/faults.ts';
import { createCollections } from '../../../../server/stores/mongodb/migrations/001-init.ts';
import { createQuarantine } from '../../../../server/stores/mongodb/migrations/002-quarantine.ts';
import { areMigratedJobs } from '../../../support/jobs/jobs.ts';
import { aPlan, aPut, SYSTEM } from '../../../support/plans.ts';
import { usePeer } from './peer.ts';
import { commitPlan } from '../../../support/warrants.ts';

const PROGRAM = fileURLToPath(
  new URL('../../../../node_modules/.cache/mongodb-peer/bin/secantusd-py', import.meta.url),
);

describe('opening the stores on MongoDB', function () {
  this.timeout(30_000);
  const peer = usePeer();

  it('refuses a standalone server and says what to start', async function () {
    if (!existsSync(PROGRAM)) this.skip();
    const standalone = await startStandalone();
    try {
      const fault = await expectFault(openMongoStores({ uri: standalone.uri }), 'not-supported');
      expect(fault.message).to.include('--replSet');
    } finally {
      await standalone.stop();
    }
  });

  it('refuses a server that runs no transaction', async () => {
    const illegal = { failCommands: ['update'], errorCode: 20, namespace: 'none' };
    const uri = peer.freshUri();
    await peer.failing(1, illegal, async () => {
      await expectFault(openMongoStores({ uri }), 'not-supported');
    });
  });

  it('refuses an address that is none without quoting it', async () => {
    const fault = await expectFault(openMongoStores({ uri: 'mongodb://reader:secret-word@' }), 'invalid');
    expect(`${fault.message} ${String(fault.cause)}`).not.to.include('secret-word');
  });

  it('tells a server out of reach from one that is refused', async () => {
    const uri = 'mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300';
    await expectFault(openMongoStores({ uri }), 'transient');
  });

  it('lets servers that start at once migrate one after the other', async () => {
    const uri = peer.freshUri();
    const stores = await Promise.all(Array.from({ length: 5 }, async () => await peer.open(uri)));
    const put = aPut();
    for (const [at, { records }] of stores.entries()) if (at === 0) await commitPlan(records, aPlan({ puts: [put] }));
    for (const { records } of stores) {
      const row = await records.peek(SYSTEM, { kind: 'resource', type: put.type, id: put.id });
      expect(row?.version).to.equal(1);
    }
    const db = (await peer.client(uri)).db();
    expect(await db.collection<{ _id: string }>('meta').findOne({ _id: 'schema' })).to.include({ version: 12 });
  });

  it('makes jobs of what stood on the agenda of an earlier server', async () => {
    const uri = peer.freshUri();
    const db = (await peer.client(uri)).db();
    await createCollections(db);
    await createQuarantine(db);
    await db.collection<{ _id: string; version: number }>('meta').insertOne({ _id: 'schema', version: 2 });
    const agenda = ['refresh', 'update', 'close', 'erase', 'forget'].map((kind, at) => ({
      _id: `${kind}|1.2.${at}`,
      at,
    }));
    await db.collection<{ _id: string; at: number }>('agenda').insertMany(agenda);
    const { jobs } = await peer.open(uri);
    expect(await jobs.list({ limit: 10 }, 0)).to.satisfy(areMigratedJobs);
    expect(await jobs.due(0)).to.deep.equal(['refresh-study']);
    expect(await db.listCollections({ name: 'agenda' }).toArray()).to.deep.equal([]);
  });

  it('refuses a database that a newer program wrote', async () => {
    const uri = peer.freshUri();
    const db = (await peer.client(uri)).db();
    await db.collection<{ _id: string; version: number }>('meta').insertOne({ _id: 'schema', version: 99 });
    expect((await expectFault(openMongoStores({ uri }), 'not-supported')).message).to.include('schema 99');
  });

  it('answers transient after it was closed, and closes twice without harm', async () => {
    const stores = await peer.open(peer.freshUri());
    await stores.close();
    await stores.records.close();
    await expectFault(commitPlan(stores.records, aPlan({ puts: [aPut()] })), 'transient');
  });
});

async function startStandalone(): Promise<{ readonly uri: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-standalone-'));
  const server = spawn(PROGRAM, ['--host', '127.0.0.1', '--port', '0', '--storage-path', folder, '--standalone'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  while (!/listening on \S+/.test(said)) said += String((await once(server.stderr, 'data'))[0]);
  server.stderr.resume();
  const address = /listening on (\S+)/.exec(said)?.[1] ?? '';
  return {
    uri: `mongodb://${address}/`,
    async stop() {
      const exit = once(server, 'exit');
      server.kill('SIGTERM');
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
