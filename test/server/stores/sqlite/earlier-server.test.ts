/** A server that reads what is kept as more than it is refuses the data (server/stores/README.md, rule 10). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openWriter } from '../../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { MIGRATIONS, migrate } from '../../../../server/stores/sqlite/schema.ts';
import { faultOf } from '../../../support/thrown-fault.ts';

/** Versions of the records of the last server that took a ticket of support for a declaration. */
const BEFORE_TICKETS = 16;

describe('Data of this server under an earlier one (SQLite)', () => {
  it('are refused by one that knows no tickets of support', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-earlier-'));
    try {
      await (await openSqliteStores({ dataDir })).close();
      const db = openWriter(join(dataDir, 'records.sqlite'));
      try {
        const fault = faultOf(() => migrate(db, MIGRATIONS.records.slice(0, BEFORE_TICKETS)));
        expect(fault?.kind).to.equal('not-supported');
      } finally {
        db.close();
      }
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
