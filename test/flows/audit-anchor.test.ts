/**
 * The anchor of the audit trail: servers that are stopped, and started on data that others changed meanwhile. Row M04
 * of smart-security.md.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { MongoClient, type Document } from 'mongodb';
import type { Anchor } from '../../server/ports/audit-anchor.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../support/peers/mongodb-peer.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { runCommand } from '../support/command.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startCollector } from '../support/syslog-collector.ts';

/** One store with its anchor: `keep` remembers the data, `restore` brings what it remembered back. */
type Place = {
  readonly dataDir: string;
  readonly store: string;
  readonly env: AnchoredFolder['env'];
  keep(): Promise<void>;
  restore(): Promise<void>;
  /** Takes the last record away, and all that was filed of it. */
  cut(): Promise<void>;
  close(): Promise<void>;
};

type AnchoredFolder = {
  readonly root: string;
  readonly dataDir: string;
  readonly env: Readonly<Record<'AUDIT_ANCHOR' | 'AUDIT_ANCHOR_KEY', string>>;
};

async function anchoredFolder(): Promise<AnchoredFolder> {
  const root = await mkdtemp(join(tmpdir(), 'passerelle-anchored-'));
  for (const name of ['mount', 'keys']) await mkdir(join(root, name));
  const env = { AUDIT_ANCHOR: join(root, 'mount', 'anchor'), AUDIT_ANCHOR_KEY: join(root, 'keys', 'key') };
  return { root, dataDir: join(root, 'data'), env };
}

const CUT = `CREATE TEMP TABLE cut AS SELECT rid, id FROM resource
    WHERE id = (SELECT id FROM chain ORDER BY sequence DESC LIMIT 1);
  DELETE FROM chain WHERE id IN (SELECT id FROM cut); DELETE FROM personal WHERE id IN (SELECT id FROM cut);
  DELETE FROM acl WHERE id IN (SELECT id FROM cut); DELETE FROM reference WHERE rid IN (SELECT rid FROM cut);
  DELETE FROM resource WHERE id IN (SELECT id FROM cut)`;

async function onSqlite(): Promise<Place> {
  const { root, dataDir, env } = await anchoredFolder();
  return {
    dataDir,
    store: 'sqlite',
    env,
    keep: async () => await cp(dataDir, join(root, 'kept'), { recursive: true }),
    restore: async () => {
      await rm(dataDir, { recursive: true });
      await cp(join(root, 'kept'), dataDir, { recursive: true });
    },
    cut: async () => {
      const file = new DatabaseSync(join(dataDir, 'trail.sqlite'));
      file.exec(CUT);
      file.close();
    },
    close: async () => await rm(root, { recursive: true, force: true }),
  };
}

const AUDIT = ['audit_events', 'audit_chain', 'audit_personal'] as const;

async function onMongo(peer: MongoPeer): Promise<Place> {
  const { root, dataDir, env } = await anchoredFolder();
  const store = peer.freshUri();
  const client = await MongoClient.connect(store);
  const db = client.db();
  const kept = new Map<string, Document[]>();
  return {
    dataDir,
    store,
    env,
    keep: async () => {
      for (const name of AUDIT) kept.set(name, await db.collection(name).find().toArray());
    },
    restore: async () => {
      for (const name of AUDIT) {
        await db.collection(name).deleteMany({});
        await db.collection(name).insertMany(kept.get(name) ?? []);
      }
    },
    cut: async () => {
      const [last] = await db.collection<{ _id: number }>('audit_chain').find().sort({ _id: -1 }).limit(1).toArray();
      const _id = last?._id ?? 0;
      await db.collection<{ _id: number }>('audit_chain').deleteOne({ _id });
      await db.collection<{ _id: number }>('audit_personal').deleteOne({ _id });
      await db.collection('audit_events').deleteOne({ sequence: _id });
    },
    close: async () => {
      await client.close();
      await peer.drop(store);
      await rm(root, { recursive: true, force: true });
    },
  };
}

const AT_ONCE = 20;

/** A token that nobody gave: each is an event. */
async function beRefused({ url }: TestServer, times: number): Promise<void> {
  const ask = async (): Promise<void> => {
    const response = await fetch(`${url}/fhir/Patient`, { headers: { Authorization: 'Bearer nobody' } });
    await response.arrayBuffer();
    expect(response.status).to.equal(401);
  };
  for (let left = times; left > 0; left -= AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, ask));
}

async function anchorOf({ env }: Place): Promise<Anchor> {
  return JSON.parse(await readFile(env.AUDIT_ANCHOR, 'utf8')) as Anchor;
}

async function refusalOf(place: Place, ...args: string[]): Promise<string> {
  const started = await startServer({ ...place, args }).catch((error: unknown) => error);
  if (started instanceof Error) return started.message;
  await (started as TestServer).stop();
  throw new Error('The server started');
}

function storiesOn(name: string, reason: string | undefined, open: () => Promise<Place>): void {
  describe(`An anchored audit trail (${name})`, function () {
    this.timeout(120_000);
    let place: Place;
    let server: TestServer | undefined;
    const start = async (...args: string[]): Promise<TestServer> => (server = await startServer({ ...place, args }));
    const stop = async (): Promise<void> => {
      expect(await server?.stop()).to.equal(0);
      server = undefined;
    };

    beforeEach(async function () {
      if (reason !== undefined) this.skip();
      place = await open();
      await beRefused(await start(), 2);
      await stop();
    });
    afterEach(async () => {
      await server?.stop();
      server = undefined;
      await place?.close();
    });
    const verify = async () => await runCommand('audit:verify', [], place);

    it('is anchored at its head when the server stops, begins when it starts, and is verified by it', async () => {
      const anchored = await anchorOf(place);
      expect(anchored.sequence).to.be.greaterThan(1);
      const { stdout, code } = await verify();
      expect(stdout).to.equal(
        `whole: ${anchored.sequence} records, head ${anchored.hash}, 0 erased\n` +
          `anchor: record ${anchored.sequence} of ${anchored.at}\n`,
      );
      expect(code).to.equal(0);
      await beRefused(await start(), 1);
      await stop();
      expect((await anchorOf(place)).sequence).to.be.greaterThan(anchored.sequence);
    });

    it('that was cut keeps the doors shut, and the verifier misses the record', async () => {
      const { sequence } = await anchorOf(place);
      await place.cut();
      const { code, stdout } = await verify();
      const missed = `broken at record ${sequence}: the trail ends at record ${sequence - 1}`;
      expect([code, stdout.startsWith(missed)]).to.deep.equal([1, true]);
      const refusal = await refusalOf(place);
      expect(refusal)
        .to.include(`The audit trail ends at record ${sequence - 1}`)
        .and.include('--accept-restored NAME REASON')
        .and.not.include('    at ');
      expect((await anchorOf(place)).sequence).to.equal(sequence);
    });

    it('of an older copy keeps the doors shut until a person answers for it in an event', async () => {
      await place.keep();
      await beRefused(await start(), 2);
      await stop();
      const ahead = await anchorOf(place);
      await place.restore();
      expect(await refusalOf(place)).to.include('withdrawals and revoked tokens of the time between are forgotten');
      const running = await start('--accept-restored', 'Camille Durand', 'the disk was lost');
      expect(running.log()).to.include('was accepted');
      const anew = await anchorOf(place);
      expect(anew.sequence).to.be.lessThan(ahead.sequence);
      await stop();
      expect((await verify()).code).to.equal(0);
      expect(await refusalOf(place, '--accept-restored', 'Camille Durand', 'once more')).to.include(
        'start without --accept-restored',
      );
      await start();
      await stop();
    });

    it('whose anchor is damaged or gone keeps the doors shut, and says what to do', async () => {
      const path = place.env.AUDIT_ANCHOR;
      await writeFile(path, '{"sequence":');
      expect(await refusalOf(place)).to.include('is damaged');
      const { code, stdout } = await verify();
      expect([code, stdout]).to.match(/^1,whole: .*\nanchor: The audit anchor .* is damaged/);
      await rm(path);
      expect(await refusalOf(place)).to.include('The anchor of the audit trail is gone');
      await start('--accept-restored', 'Camille Durand', 'the mount was lost');
      await stop();
      expect((await verify()).code).to.equal(0);
    });
  });
}

storiesOn('SQLite', undefined, onSqlite);

describe('On MongoDB', () => {
  let peer: MongoPeer | undefined;
  const reason = whyNoMongoPeer();
  before(async function () {
    this.timeout(30_000);
    if (reason !== undefined) return;
    peer = await startMongoPeer();
  });
  after(async () => await peer?.stop());
  storiesOn('MongoDB', reason, async () => {
    if (peer === undefined) throw new Error('The MongoDB server is not running');
    return await onMongo(peer);
  });
});

describe('An audit trail that is anchored by syslog over TLS (RFC 5425)', function () {
  this.timeout(60_000);

  it('is sent to the collector; one that is out of reach stops nothing, and shows at /health/ready', async function () {
    if (!hasProgram('openssl', 'version')) this.skip();
    const { root, dataDir, env } = await anchoredFolder();
    const collector = await startCollector(root);
    const { port, ca, sender, messages } = collector;
    const variables = {
      AUDIT_ANCHOR: `syslog+tls://localhost:${port}`,
      AUDIT_ANCHOR_KEY: env.AUDIT_ANCHOR_KEY,
      AUDIT_ANCHOR_TLS_CA: ca,
      AUDIT_ANCHOR_TLS_CERT: sender.cert,
      AUDIT_ANCHOR_TLS_KEY: sender.key,
    };
    try {
      const first = await startServer({ dataDir, env: variables });
      await beRefused(first, 1);
      expect(await first.stop()).to.equal(0);
      expect(messages.at(-1)).to.match(/^<109>1 \S+ \S+ passerelle \d+ AUDIT-ANCHOR - \{"sequence":\d+/);
      await collector.close();
      const second = await startServer({ dataDir, env: { ...variables, AUDIT_ANCHOR: 'syslog+tls://localhost:1' } });
      await beRefused(second, 1_000);
      const found = await eventually(async () => {
        const response = await fetch(`${second.url}/health/ready`);
        const health = (await response.json()) as { status: string; checks?: object };
        return health.status === 'warn' ? { code: response.status, ...health } : undefined;
      }, 20);
      expect(found.code).to.equal(200);
      expect(found.checks).to.have.property('audit:anchor');
      expect(second.log()).to.include('could not be anchored');
      expect(await second.stop()).to.equal(0);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});
