/** A data folder of a server that named rights: they are derived from its rows. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { itemIn } from '../../../../server/access/right.ts';
import { openWriter, type Database } from '../../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { MIGRATIONS, migrate } from '../../../../server/stores/sqlite/schema.ts';
import { ACCESS, expectDerived, RIGHTS, ROWS } from '../former-rights.ts';

/** The version of the records before rights were derived. */
const BEFORE = 8;

function writeRecord(db: Database): void {
  for (const [at, { type, id, sort, person = '', subject = '', resource }] of ROWS.entries())
    db.run(
      `INSERT INTO resource (rid, type, id, version, updated, sort, person, subject, level, released, json)
       VALUES (?, ?, ?, 1, 0, ?, ?, ?, 0, 1, ?)`,
      at + 1,
      type,
      id,
      sort,
      person,
      subject,
      JSON.stringify(resource),
    );
  for (const { id, person, principal, relation, scope, from, to, source = null } of RIGHTS)
    db.run(
      'INSERT INTO access_right VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      person,
      principal,
      relation,
      itemIn(scope) ?? null,
      from,
      to,
      source,
    );
  for (const { right, put } of ACCESS)
    db.run(
      'INSERT INTO acl VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      right.principal,
      put.type,
      put.sort,
      put.id,
      right.id,
      ROWS.indexOf(put) + 1,
      right.relation,
      right.source ?? null,
      right.from,
      right.to,
    );
}

describe('Rights that an earlier server named (SQLite)', () => {
  it('are those that its rows give, show the same, and end with them', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-migrating-rights-'));
    try {
      const db = openWriter(join(dataDir, 'records.sqlite'));
      migrate(db, MIGRATIONS.records.slice(0, BEFORE));
      writeRecord(db);
      db.close();
      const stores = await openSqliteStores({ dataDir });
      try {
        await expectDerived(stores.records);
      } finally {
        await stores.close();
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
