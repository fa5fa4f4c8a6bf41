/** A data folder of a server that showed preliminary reports to declared correspondents. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Fault } from '../../../../profiles/fault.ts';
import { openWriter } from '../../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { MIGRATIONS, migrate } from '../../../../server/stores/sqlite/schema.ts';
import { expectHidden, HOLDER, isShownPreliminary, keepReports, PRELIMINARY, RIGHT } from '../former-reports.ts';

/** The version of the file before. */
const RECORDS_BEFORE = 12;

describe('Preliminary reports of an earlier server (SQLite)', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-migrating-reports-'));
  });
  afterEach(async () => await rm(dataDir, { recursive: true, force: true }));

  const path = (): string => join(dataDir, 'records.sqlite');

  /** Shows the report as the earlier server did. */
  async function keepFormer(): Promise<void> {
    const { records, close } = await openSqliteStores({ dataDir });
    await keepReports(records);
    await close();
    const db = openWriter(path());
    db.run(
      `INSERT INTO acl SELECT ?, type, sort, id, ?, rid, 'declared', NULL, 0, 9e15 FROM resource WHERE id = ?`,
      HOLDER,
      RIGHT.id,
      PRELIMINARY.id,
    );
    db.close();
  }

  it('are hidden from the moment on in which the folder is opened, and nothing else is', async () => {
    await keepFormer();
    const former = await openSqliteStores({ dataDir });
    expect(await isShownPreliminary(former.records)).to.deep.equal([true, true, true]);
    await former.close();
    const db = openWriter(path());
    // What came with the migrations after.
    const triggers = ['insert', 'update', 'delete'].map((event) => `DROP TRIGGER access_version_block_${event};`);
    db.script(`ALTER TABLE instance DROP COLUMN moved_from; DROP INDEX access_right_block; ${triggers.join(' ')}
      PRAGMA user_version = ${RECORDS_BEFORE}`);
    db.close();
    const { records, close } = await openSqliteStores({ dataDir });
    await expectHidden(records).finally(close);
  });

  it('are shown by no earlier server any more: it refuses the folder in one line', async () => {
    await keepFormer();
    const db = openWriter(path());
    const before = MIGRATIONS.records.slice(0, RECORDS_BEFORE);
    expect(() => migrate(db, before)).to.throw(Fault, /^The data folder was written by a newer version of the server$/);
    db.close();
  });
});
