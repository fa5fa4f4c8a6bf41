/** What operators are told when the events of a MongoDB store cannot be sealed: the log, `/health/ready`. */
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { eventually } from '../support/clients/fhir-caller.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
import { startServer, type TestServer } from '../support/server.ts';

type Health = {
  readonly status: string;
  readonly checks?: Readonly<Record<string, readonly { readonly status: string; readonly observedValue?: number }[]>>;
};

/** An event that no program can read, recorded an hour ago: it stands before all others. */
const UNREADABLE = {
  _id: 'unreadable',
  type: 'AuditEvent',
  id: 'unreadable',
  sort: Date.now() - 3_600_000,
  updated: 0,
  persons: [],
  pending: true,
  event: '{"agent": Untel Marie',
};

describe('Sealing of audit events (MongoDB) that fails', function () {
  this.timeout(60_000);
  let peer: MongoPeer | undefined;
  let client: MongoClient;
  let server: TestServer;

  before(async function () {
    if (whyNoMongoPeer() !== undefined) this.skip();
    peer = await startMongoPeer();
    const uri = peer?.freshUri() ?? '';
    client = await MongoClient.connect(uri);
    server = await startServer({ store: uri });
  });
  after(async () => {
    await server?.stop();
    await client?.close();
    await peer?.stop();
  });

  const readiness = async (): Promise<{ readonly code: number } & Health> => {
    const response = await fetch(`${server.url}/health/ready`);
    return { code: response.status, ...((await response.json()) as Health) };
  };
  const events = () => client.db().collection<{ _id: string }>('audit_events');

  it('is logged without what events say, and shown as a warning at /health/ready, while doors stay open', async () => {
    await eventually(async () => (await readiness()).status === 'pass' || undefined);
    await events().insertOne(UNREADABLE);
    await eventually(async () => server.log().includes('audit events could not be sealed') || undefined);
    const found = await readiness();
    expect([found.code, found.status]).to.deep.equal([200, 'warn']);
    const [sealing] = found.checks?.['audit:sealing'] ?? [];
    expect(sealing?.status).to.equal('warn');
    expect(sealing?.observedValue).to.be.greaterThan(3_500);
    expect(server.log()).to.not.include('Untel');
    expect(server.log().match(/could not be sealed/g)).to.have.length(1);
    expect((await fetch(`${server.url}/fhir/metadata`)).status).to.equal(200);
  });

  it('ends by itself when its cause does', async () => {
    await events().deleteOne({ _id: UNREADABLE._id });
    await eventually(async () => (await readiness()).status === 'pass' || undefined);
  });
});
