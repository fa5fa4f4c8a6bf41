/**
 * `npm run audit:verify` on trails that were written by the store and then tampered with. Rows M03, M05 of smart-
 * security.md.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { openMongoStores } from '../../../server/stores/mongodb/open.ts';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';
import { MongoClient } from 'mongodb';
import { startMongoPeer, whyNoMongoPeer } from '../../support/peers/mongodb-peer.ts';
import { anAudit, aPersonKey } from '../../support/plans.ts';
import { ROOT } from '../../support/house/source-files.ts';

const RECORDS = 12;
const NO_ANCHOR = 'anchor: none is set, records cut off at the end are not missed\n';

type Run = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs the command as an operator does: only what names the store is set. */
async function verify(variables: Readonly<Record<string, string>>, ...args: string[]): Promise<Run> {
  const run = promisify(execFile)(process.execPath, [join(ROOT, 'server/commands/audit-verify.ts'), ...args], {
    cwd: ROOT,
    env: variables,
  });
  return await run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Run) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  );
}

describe('npm run audit:verify', function () {
  this.timeout(30_000);
  let root: string;
  let intact: string;
  let hash: string;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'passerelle-audit-'));
    intact = join(root, 'intact');
    const stores = await openSqliteStores({ dataDir: intact });
    const person = aPersonKey();
    await stores.trail.record(Array.from({ length: RECORDS }, () => anAudit([person])));
    ({ hash } = await stores.trail.head());
    await stores.close();
  });
  after(async () => await rm(root, { recursive: true, force: true }));

  /** Verifies a copy of the trail that was changed by SQL, as somebody with the file could. */
  async function tampered(sql: string, ...args: string[]): Promise<Run> {
    const dataDir = await mkdtemp(join(root, 'tampered-'));
    await cp(intact, dataDir, { recursive: true });
    const file = new DatabaseSync(join(dataDir, 'trail.sqlite'));
    file.exec(sql);
    file.close();
    return await verify({ PASSERELLE_DATA_DIR: dataDir }, ...args);
  }

  it('says that a trail is whole: records, head, erased', async () => {
    const run = await verify({ PASSERELLE_DATA_DIR: intact });
    const stdout = `whole: ${RECORDS} records, head ${hash}, 0 erased\n${NO_ANCHOR}`;
    expect(run).to.deep.equal({ code: 0, stdout, stderr: '' });
  });

  it('reads beside a running server, and sees what it adds', async () => {
    const dataDir = join(root, 'running');
    const stores = await openSqliteStores({ dataDir });
    try {
      await stores.trail.record([anAudit()]);
      const head = await stores.trail.head();
      expect((await verify({ PASSERELLE_DATA_DIR: dataDir })).stdout).to.equal(
        `whole: 1 records, head ${head.hash}, 0 erased\n${NO_ANCHOR}`,
      );
      await stores.trail.record([anAudit()]);
      const run = await verify({ PASSERELLE_DATA_DIR: dataDir }, '--head', `${head.sequence}:${head.hash}`);
      expect([run.code, run.stdout.slice(0, 16)]).to.deep.equal([0, 'whole: 2 records']);
    } finally {
      await stores.close();
    }
  });

  const tamperings: readonly (readonly [name: string, sql: string, sequence: number, reason: RegExp])[] = [
    [
      'one byte of a body is changed',
      "UPDATE chain SET body = replace(body, char(10) || '2', char(10) || '3') WHERE sequence = 5",
      5,
      /the hash does not fit/,
    ],
    [
      'what all bodies share is changed',
      `UPDATE event_form SET frame = replace(frame, '"outcome":"0"', '"outcome":"4"')`,
      1,
      /the hash does not fit/,
    ],
    ['a body loses its form', 'UPDATE chain SET form = NULL WHERE sequence = 5', 5, /the hash does not fit/],
    ['a record in the middle is dropped', 'DELETE FROM chain WHERE sequence = 6', 6, /expected sequence 6/],
    [
      'a record is dropped and the rest moves up',
      'DELETE FROM chain WHERE sequence = 6; UPDATE chain SET sequence = sequence - 1 WHERE sequence > 6',
      6,
      /the hash does not fit/,
    ],
    ['the first record is dropped', 'DELETE FROM chain WHERE sequence = 1', 1, /expected sequence 1/],
    [
      'two records change places',
      'UPDATE chain SET sequence = 100 WHERE sequence = 7; UPDATE chain SET sequence = 7 WHERE sequence = 8; ' +
        'UPDATE chain SET sequence = 8 WHERE sequence = 100',
      7,
      /the hash does not fit/,
    ],
    ['a hash is changed', `UPDATE chain SET hash = '${'0'.repeat(64)}' WHERE sequence = 3`, 3, /the hash does not fit/],
    [
      'a personal part is changed',
      "UPDATE personal SET json = json || ' ' WHERE side = 'entities' AND id = (SELECT id FROM chain WHERE " +
        'sequence = 9)',
      9,
      /the personal part of the entities/,
    ],
    [
      'a record is filed under an id without personal parts',
      "UPDATE chain SET id = 'another' WHERE sequence = 10",
      10,
      /filed under another id/,
    ],
  ];
  for (const [name, sql, sequence, reason] of tamperings) {
    it(`names the record where ${name}`, async () => {
      const run = await tampered(sql);
      expect(run.stdout)
        .to.match(new RegExp(`^broken at record ${sequence}: `))
        .and.match(reason);
      expect([run.code, run.stderr]).to.deep.equal([1, '']);
    });
  }

  /** The last record with all that was filed of it. */
  const CUT = `CREATE TEMP TABLE cut AS SELECT rid, id FROM resource
      WHERE id = (SELECT id FROM chain WHERE sequence = ${RECORDS});
    DELETE FROM chain WHERE id IN (SELECT id FROM cut); DELETE FROM personal WHERE id IN (SELECT id FROM cut);
    DELETE FROM acl WHERE id IN (SELECT id FROM cut); DELETE FROM reference WHERE rid IN (SELECT rid FROM cut);
    DELETE FROM resource WHERE id IN (SELECT id FROM cut)`;

  it('cannot tell a trail whose last record was dropped from a shorter one, without the exported head', async () => {
    const run = await tampered(CUT);
    expect([run.code, run.stdout.startsWith(`whole: ${RECORDS - 1} records`)]).to.deep.equal([0, true]);
  });

  it('misses the last record by the exported head', async () => {
    const run = await tampered(CUT, '--head', `${RECORDS}:${hash}`);
    expect([run.code, run.stdout]).to.deep.equal([
      1,
      `broken at record ${RECORDS}: the trail ends at record ${RECORDS - 1}, and a head that was kept is record ` +
        `${RECORDS}\n`,
    ]);
  });

  it('tells a trail that was written anew by the exported head', async () => {
    const other = `${hash.startsWith('0') ? '1' : '0'}${hash.slice(1)}`;
    const run = await verify({ PASSERELLE_DATA_DIR: intact }, '--head', `${RECORDS}:${other}`);
    expect([run.code, run.stdout]).to.deep.equal([
      1,
      `broken at record ${RECORDS}: the hash is not that of the head that was kept\n`,
    ]);
    expect((await verify({ PASSERELLE_DATA_DIR: intact }, '--head', `${RECORDS}:${hash}`)).code).to.equal(0);
  });

  it('explains a head of another form, and a folder without a trail', async () => {
    const malformed = await verify({ PASSERELLE_DATA_DIR: intact }, '--head', hash);
    expect([malformed.code, malformed.stdout]).to.deep.equal([2, '']);
    expect(malformed.stderr).to.include('SEQUENCE:HASH');
    const nothing = await verify({ PASSERELLE_DATA_DIR: join(root, 'nothing') });
    expect([nothing.code, nothing.stdout]).to.deep.equal([2, '']);
    expect(nothing.stderr).to.include('There is no audit trail').and.not.include('    at ');
  });

  it('verifies the trail of a MongoDB store', async function () {
    if (whyNoMongoPeer() !== undefined) this.skip();
    const peer = await startMongoPeer();
    if (peer === undefined) throw new Error('The MongoDB server did not start');
    const uri = peer.freshUri();
    const stores = await openMongoStores({ uri });
    try {
      await stores.trail.record([anAudit(), anAudit(), anAudit()]);
      const head = await stores.trail.head();
      const known = ['--head', `${head.sequence}:${head.hash}`];
      expect((await verify({ PASSERELLE_STORE: uri }, ...known)).stdout).to.equal(
        `whole: 3 records, head ${head.hash}, 0 erased\n${NO_ANCHOR}`,
      );
      await dropRecord(uri, 3);
      const cut = await verify({ PASSERELLE_STORE: uri }, ...known);
      expect([cut.code, cut.stdout]).to.deep.equal([
        1,
        'broken at record 3: the trail ends at record 2, and a head that was kept is record 3\n',
      ]);
      await dropRecord(uri, 1);
      const holed = await verify({ PASSERELLE_STORE: uri });
      expect([holed.code, holed.stdout]).to.deep.equal([1, 'broken at record 1: expected sequence 1\n']);
    } finally {
      await stores.close();
      await peer.stop(uri);
    }
  });
});

async function dropRecord(uri: string, sequence: number): Promise<void> {
  const client = await MongoClient.connect(uri);
  try {
    const { deletedCount } = await client.db().collection<{ _id: number }>('audit_chain').deleteOne({ _id: sequence });
    if (deletedCount !== 1) throw new Error('There was no such record');
  } finally {
    await client.close();
  }
}
