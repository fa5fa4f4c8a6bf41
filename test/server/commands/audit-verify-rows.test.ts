/** `npm run audit:verify` compares the rows by which events are found with the chain; it writes nothing. */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { MongoClient, type Db } from 'mongodb';
import { studyEntity } from '../../../profiles/audit/entities.ts';
import { openMongoStores } from '../../../server/stores/mongodb/open.ts';
import { toWireAudit } from '../../../server/stores/sqlite/audit/wire-audit.ts';
import { openWriter } from '../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';
import { MIGRATIONS, migrate } from '../../../server/stores/sqlite/schema.ts';
import { appendEvents, readHead } from '../../../server/stores/sqlite/write/write-trail.ts';
import { whyNoSmallDisk } from '../../hostile/small-disk.ts';
import { runCommand, type CommandResult } from '../../support/command.ts';
import { startMongoPeer, whyNoMongoPeer, type MongoPeer } from '../../support/peers/mongodb-peer.ts';
import { aMove, aPersonKey, aPlan, anAudit, aPut, aUid } from '../../support/plans.ts';
import type { Stores } from '../../support/stores.ts';
import { commitPlan } from '../../support/warrants.ts';

const [PERSON, OTHER] = [aPersonKey(), aPersonKey()];
const ERASED = aUid();
/** Ten of one person, one of two, one of nobody that an erasure takes, the event of the erasure, and one after it. */
const RECORDS = 14;

/** All are of one time: MongoDB chains them by their ids, SQLite as they come. */
async function fill({ trail }: Stores): Promise<void> {
  let told = 0;
  const nextId = (): string => `event-${String((told += 1)).padStart(2, '0')}`;
  await trail.record(Array.from({ length: 10 }, () => ({ ...anAudit([PERSON], nextId()), request: 'Patient?_id=1' })));
  await trail.record([anAudit([PERSON, OTHER], nextId())]);
  await trail.record([anAudit([], nextId(), [studyEntity(ERASED)])]);
  await trail.eraseEntities(new Set([ERASED]), () => anAudit([], nextId()));
  await trail.head();
  await trail.record([anAudit([], nextId())]);
  await trail.head();
}

function expectBroken({ code, stdout, stderr }: CommandResult, sequence: number, reason: RegExp): void {
  expect([code, stderr]).to.deep.equal([1, '']);
  expect(stdout)
    .to.match(reason)
    .and.match(new RegExp(`^broken at record ${sequence}: `));
}

const REFILED = /filed under another person/;
const UNERASED = /is gone/;

/** Digests of the files of a folder, with the times of their last change. */
async function stateOf(dataDir: string): Promise<readonly string[]> {
  const names = (await readdir(dataDir)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const path = join(dataDir, name);
      const digest = createHash('sha256').update((await stat(path)).isFile() ? await readFile(path) : '');
      return `${name} ${(await stat(path)).mtimeMs} ${digest.digest('hex')}`;
    }),
  );
}

/** Runs a program on a folder that is mounted read-only. */
function readOnly(folder: string): readonly string[] {
  const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
  return ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script, folder];
}

describe('npm run audit:verify on the rows of events (SQLite)', function () {
  this.timeout(60_000);
  let root: string;
  let intact: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'passerelle-audit-rows-'));
    intact = join(root, 'intact');
    const stores = await openSqliteStores({ dataDir: intact });
    await fill(stores);
    await stores.close();
  });
  after(async () => await rm(root, { recursive: true, force: true }));

  async function tampered(sql: string, from = intact): Promise<CommandResult> {
    const dataDir = await mkdtemp(join(root, 'tampered-'));
    await cp(from, dataDir, { recursive: true });
    const file = new DatabaseSync(join(dataDir, 'trail.sqlite'));
    file.exec(sql);
    file.close();
    return await runCommand('audit:verify', [], { dataDir });
  }

  it('takes a lawful erasure for what it is', async () => {
    const { code, stdout } = await runCommand('audit:verify', [], { dataDir: intact });
    expect([code, stdout]).to.match(/^0,whole: 14 records, head [0-9a-f]{64}, 1 erased\n/);
  });

  const idOf = (sequence: number): string => `(SELECT id FROM chain WHERE sequence = ${sequence})`;
  const sideOf = (sequence: number, side = 'request'): string => `id = ${idOf(sequence)} AND side = '${side}'`;
  const ridOf = (sequence: number): string => `(SELECT rid FROM resource WHERE id = ${idOf(sequence)})`;
  const tamperings: readonly (readonly [name: string, sql: string, sequence: number, reason: RegExp])[] = [
    ['the last record is cut off', `DELETE FROM chain WHERE sequence = ${RECORDS}`, RECORDS, /belong to no record/],
    ['the whole chain is taken away', 'DELETE FROM chain', 1, /belong to no record/],
    ['all personal parts are taken away', 'DELETE FROM personal', 1, UNERASED],
    ['what all events touched is taken away', "DELETE FROM personal WHERE side = 'entities'", 1, UNERASED],
    [
      'what one event touched is taken away',
      `DELETE FROM personal WHERE id = ${idOf(7)} AND side = 'entities'`,
      7,
      /no erasure tells of it/,
    ],
    ['who acted in one event is taken away', `DELETE FROM personal WHERE ${sideOf(7, 'agents')}`, 7, /agents is gone/],
    ['the query of one event is taken away', `DELETE FROM personal WHERE ${sideOf(7)}`, 7, UNERASED],
    ['a query is written otherwise', `UPDATE personal SET json = '"x"' WHERE ${sideOf(7)}`, 7, /its commitment/],
    [
      'an event is filed under another person',
      `UPDATE acl SET principal = 'pat:${OTHER}' WHERE id = ${idOf(4)}`,
      4,
      REFILED,
    ],
    ['an event is hidden from its person', `DELETE FROM acl WHERE id = ${idOf(4)}`, 4, REFILED],
    [
      'a stranger may read an event',
      `INSERT INTO acl SELECT 'pat:x', type, sort, id, id || '|x', rid, relation, source, valid_from, valid_to
         FROM acl WHERE id = ${idOf(5)}`,
      5,
      REFILED,
    ],
    [
      'all search rows are taken away',
      'DELETE FROM acl; DELETE FROM reference; DELETE FROM token; DELETE FROM resource',
      1,
      /search does not find/,
    ],
    ['a search row is taken away', `DELETE FROM resource WHERE id = ${idOf(6)}`, 6, /search does not find/],
    [
      'an event is dated otherwise',
      `UPDATE resource SET sort = sort - 86400000, updated = updated - 86400000 WHERE id = ${idOf(8)}`,
      8,
      /id or time/,
    ],
    [
      'another professional is said to have passed',
      `UPDATE reference SET target = 'Practitioner/other' WHERE param = 'AuditEvent.agent' AND rid = ${ridOf(9)}`,
      9,
      /other references/,
    ],
    [
      'a value of many events is changed',
      "UPDATE token SET value = 'U' WHERE param = 'AuditEvent.action'",
      1,
      /other values/,
    ],
    [
      'a reference is added',
      `INSERT INTO reference VALUES ('AuditEvent.agent', 'Practitioner/other', ${ridOf(9)})`,
      RECORDS + 1,
      /1 rows of reference belong to no record/,
    ],
    [
      'an event is filed that was never chained',
      `INSERT INTO resource (type, id, version, updated, sort, level, released, json, form)
         SELECT type, 'forged', version, updated, sort, level, released, json, form FROM resource LIMIT 1`,
      RECORDS + 1,
      /1 rows of resource belong to no record/,
    ],
  ];
  for (const [name, sql, sequence, reason] of tamperings)
    it(`names the record where ${name}`, async () => expectBroken(await tampered(sql), sequence, reason));

  describe('whose rows are not written yet', () => {
    let queued: string;
    before(async () => {
      queued = await mkdtemp(join(root, 'queued-'));
      const trail = openWriter(join(queued, 'trail.sqlite'));
      migrate(trail, MIGRATIONS.trail);
      trail.script('BEGIN');
      appendEvents(
        trail,
        readHead(trail),
        Array.from({ length: 3 }, () => toWireAudit(anAudit([PERSON]))),
      );
      trail.script('COMMIT');
      trail.close();
    });

    it('are compared as they are queued', async () => {
      expect((await runCommand('audit:verify', [], { dataDir: queued })).stdout).to.match(/^whole: 3 records/);
      const refiled = `UPDATE unindexed SET event = replace(event, '${PERSON}', '${OTHER}') WHERE sequence = 2`;
      expectBroken(await tampered(refiled, queued), 2, REFILED);
      const dropped = 'DELETE FROM unindexed WHERE sequence = 3';
      expectBroken(await tampered(dropped, queued), 3, /search does not find/);
    });
  });

  it('accepts the key that a person has since two records were joined', async () => {
    const dataDir = join(root, 'joined');
    await cp(intact, dataDir, { recursive: true });
    const stores = await openSqliteStores({ dataDir });
    await commitPlan(stores.records, aPlan({ puts: [aPut({ person: PERSON })] }));
    await commitPlan(stores.records, aPlan({ moves: [aMove({ from: PERSON, to: OTHER })], audit: [anAudit([OTHER])] }));
    await stores.trail.head();
    await stores.close();
    const { stdout } = await runCommand('audit:verify', [], { dataDir });
    expect(stdout).to.match(/^whole: 15 records/);
  });

  it('changes nothing in a folder that no server uses, and makes no file in it', async () => {
    expect((await readdir(intact)).filter((name) => /-(wal|shm)$/.test(name))).to.deep.equal([]);
    const before = await stateOf(intact);
    expect((await runCommand('audit:verify', [], { dataDir: intact })).code).to.equal(0);
    expect(await stateOf(intact)).to.deep.equal(before);
  });

  it('reads a folder in which nothing can be written, also what a server left that was killed', async function () {
    const reason = await whyNoSmallDisk();
    if (reason !== undefined) this.skip();
    const dataDir = join(root, 'killed');
    const stores = await openSqliteStores({ dataDir });
    await fill(stores);
    // What lies on the disk while it runs.
    const left = join(root, 'left');
    await cp(dataDir, left, { recursive: true });
    await stores.close();
    for (const folder of [intact, left]) {
      const { stdout, stderr } = await runCommand('audit:verify', [], { dataDir: folder, under: readOnly(folder) });
      expect([stdout.slice(0, 16), stderr]).to.deep.equal(['whole: 14 record', '']);
    }
  });

  it('says what to do where a log lies that cannot be read', async function () {
    const reason = await whyNoSmallDisk();
    if (reason !== undefined) this.skip();
    const dataDir = await mkdtemp(join(root, 'log-'));
    await cp(join(root, 'left'), dataDir, { recursive: true });
    await rm(join(dataDir, 'trail.sqlite-shm'));
    const run = await runCommand('audit:verify', [], { dataDir, under: readOnly(dataDir) });
    expect([run.code, run.stdout]).to.deep.equal([2, '']);
    expect(run.stderr).to.include('copy the folder').and.not.include('    at ');
  });

  it('changes no file that a running server writes', async () => {
    const dataDir = join(root, 'running');
    const stores = await openSqliteStores({ dataDir });
    try {
      await fill(stores);
      const before = (await stateOf(dataDir)).filter((line) => !/-shm /.test(line));
      const { stdout } = await runCommand('audit:verify', [], { dataDir });
      expect(stdout).to.match(/^whole: 14 records/);
      expect((await stateOf(dataDir)).filter((line) => !/-shm /.test(line))).to.deep.equal(before);
    } finally {
      await stores.close();
    }
  });
});

const reason = whyNoMongoPeer();
const suite = reason === undefined ? describe : describe.skip;

suite('npm run audit:verify on the rows of events (MongoDB)', function () {
  this.timeout(60_000);
  let peer: MongoPeer | undefined;
  before(async () => {
    peer = await startMongoPeer();
  });
  after(async () => await peer?.stop());

  /** Fills a database, changes it as somebody with the database could, and verifies. */
  async function tampered(change: (db: Db) => Promise<unknown>): Promise<CommandResult> {
    const uri = peer?.freshUri() ?? '';
    const stores = await openMongoStores({ uri });
    await fill(stores);
    await stores.close();
    const client = await MongoClient.connect(uri);
    try {
      await change(client.db());
      return await runCommand('audit:verify', [], { dataDir: '/nowhere', store: uri });
    } finally {
      await client.close();
      await peer?.drop(uri);
    }
  }

  const chain = (db: Db) => db.collection<{ _id: number }>('audit_chain');
  const events = (db: Db) => db.collection('audit_events');
  const personal = (db: Db) => db.collection<{ _id: number; entities?: unknown }>('audit_personal');

  it('takes a lawful erasure for what it is', async () => {
    const { code, stdout } = await tampered(async () => undefined);
    expect([code, stdout]).to.match(/^0,whole: 14 records, head [0-9a-f]{64}, 1 erased\n/);
  });

  it('counts an erasure that is not sealed yet', async () => {
    const { stdout } = await tampered(async (db) => {
      const one = await personal(db).findOneAndUpdate({ entities: { $exists: true } }, { $unset: { entities: '' } });
      const pending = {
        type: 'AuditEvent',
        id: 'later',
        sort: 0,
        updated: 0,
        persons: [],
        pending: true,
        erased: [one?._id],
      };
      await events(db).insertOne(pending);
    });
    expect(stdout).to.match(/^whole: 14 records, head [0-9a-f]{64}, 2 erased\n/);
  });

  type Tampering = readonly [name: string, change: (db: Db) => Promise<unknown>, sequence: number, reason: RegExp];
  const tamperings: readonly Tampering[] = [
    [
      'the last record is cut off',
      async (db) => await chain(db).deleteOne({ _id: RECORDS }),
      RECORDS,
      /an event is filed as record 14/,
    ],
    ['the whole chain is taken away', async (db) => await chain(db).deleteMany({}), 1, /is filed as record 14/],
    ['all personal parts are taken away', async (db) => await personal(db).deleteMany({}), 1, UNERASED],
    [
      'what one event touched is taken away',
      async (db) => await personal(db).updateOne({ _id: 7 }, { $unset: { entities: '' } }),
      7,
      /no erasure tells of it/,
    ],
    [
      'an event is filed under another person',
      async (db) => await events(db).updateOne({ sequence: 4 }, { $set: { persons: [`pat:${OTHER}`] } }),
      4,
      REFILED,
    ],
    [
      'a stranger may read an event',
      async (db) => await events(db).updateOne({ sequence: 5 }, { $push: { persons: 'pat:x' as never } }),
      5,
      REFILED,
    ],
    ['all search rows are taken away', async (db) => await events(db).deleteMany({}), 1, /search does not find/],
    [
      'an event is dated otherwise',
      async (db) => await events(db).updateOne({ sequence: 8 }, { $set: { sort: 0 } }),
      8,
      /otherwise than it was filed/,
    ],
    [
      'another professional is said to have passed',
      async (db) => await events(db).updateOne({ sequence: 9 }, { $set: { ref: ['agent Practitioner/other'] } }),
      9,
      /otherwise than it was filed/,
    ],
    [
      'an event is filed that was never chained',
      async (db) => {
        const [one] = await events(db).find({ sequence: 5 }).toArray();
        await events(db).insertOne({ ...one, _id: 'forged' as never, id: 'forged' });
      },
      RECORDS + 1,
      /1 events are filed that belong to no record/,
    ],
  ];
  for (const [name, change, sequence, why] of tamperings)
    it(`names the record where ${name}`, async () => expectBroken(await tampered(change), sequence, why));

  it('neither seals, nor brings up the schema, nor writes anything else', async () => {
    const contentOf = async (db: Db): Promise<unknown> => {
      const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
      return await Promise.all(
        names.map(async (name) => [
          name,
          await db.collection(name).find().sort({ _id: 1 }).toArray(),
          (await db.collection(name).indexes()).map((index) => index['name'] as string).sort(),
        ]),
      );
    };
    const uri = peer?.freshUri() ?? '';
    const stores = await openMongoStores({ uri });
    await fill(stores);
    await stores.close();
    const client = await MongoClient.connect(uri);
    try {
      const db = client.db();
      const waiting = { type: 'AuditEvent', id: 'waits', sort: 0, updated: 0, persons: [], pending: true, event: '{}' };
      await events(db).insertOne(waiting);
      await events(db).dropIndex('persons_1_sort_-1_id_1');
      const before = await contentOf(db);
      expect((await runCommand('audit:verify', [], { dataDir: '/nowhere', store: uri })).code).to.equal(0);
      expect(await contentOf(db)).to.deep.equal(before);
      await db.collection<{ _id: string }>('meta').updateOne({ _id: 'schema' }, { $set: { version: 1 } });
      const older = await runCommand('audit:verify', [], { dataDir: '/nowhere', store: uri });
      expect([older.code, older.stdout]).to.deep.equal([2, '']);
      expect(older.stderr).to.include('schema of an older program');
      expect(await db.collection<{ _id: string }>('meta').findOne({ _id: 'schema' })).to.include({ version: 1 });
    } finally {
      await client.close();
      await peer?.drop(uri);
    }
  });
});
