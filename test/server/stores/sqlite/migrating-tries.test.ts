/** A data folder of a server that kept tries for a number under a plain digest. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWriter } from '../../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { expectTries, keepTries } from '../former-tries.ts';

/** The version of the file before. */
const RECORDS_BEFORE = 15;

describe('Tries of presence codes of an earlier server (SQLite)', () => {
  it('are forgotten when the folder is opened, and no other claim is', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-migrating-tries-'));
    try {
      const former = await openSqliteStores({ dataDir });
      await keepTries(former.records);
      await expectTries(former.records, true);
      await former.close();
      const db = openWriter(join(dataDir, 'records.sqlite'));
      db.script(`PRAGMA user_version = ${RECORDS_BEFORE}`);
      db.close();
      const { records, close } = await openSqliteStores({ dataDir });
      await expectTries(records, false).finally(close);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
