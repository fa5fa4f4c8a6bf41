import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openWriter, repeatable, type Database } from '../../../../server/stores/sqlite/database.ts';

describe('Work that may be repeated (SQLite)', () => {
  let folder: string;
  let database: Database;
  const isSynced = () => database.get<{ synchronous: number }>('PRAGMA synchronous')?.synchronous === 2;
  const rows = () => database.get<{ n: number }>('SELECT count(*) AS n FROM t')?.n;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-repeatable-'));
    database = openWriter(join(folder, 'file.sqlite'));
    database.script('CREATE TABLE t (n INTEGER PRIMARY KEY)');
  });
  after(async () => {
    database.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is one transaction, and the next one is synced again', () => {
    let during = true;
    repeatable(database, () => {
      during = isSynced();
      database.run('INSERT INTO t VALUES (1)');
    });
    expect([during, isSynced(), rows()]).to.deep.equal([false, true, 1]);
  });

  it('leaves nothing when it fails, not even the setting', () => {
    const work = (): void => {
      database.run('INSERT INTO t VALUES (2)');
      database.run('INSERT INTO t VALUES (1)');
    };
    expect(() => repeatable(database, work)).to.throw('UNIQUE');
    expect([isSynced(), rows()]).to.deep.equal([true, 1]);
  });

  it('leaves the setting when another holds the lock', () => {
    const other = openWriter(join(folder, 'file.sqlite'));
    database.script('PRAGMA busy_timeout = 10');
    other.script('BEGIN IMMEDIATE');
    expect(() => repeatable(database, () => undefined)).to.throw('locked');
    other.close();
    expect(isSynced()).to.equal(true);
  });
});
