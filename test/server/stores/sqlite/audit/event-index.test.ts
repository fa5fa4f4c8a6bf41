import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AuditRecord } from '../../../../../server/ports/commit-plan.ts';
import { MAX_ORDERED_ROWS } from '../../../../../server/ports/record-store.ts';
import { openReader, openWriter } from '../../../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../../../server/stores/sqlite/open.ts';
import { MIGRATIONS, migrate } from '../../../../../server/stores/sqlite/schema.ts';
import { toWireAudit } from '../../../../../server/stores/sqlite/audit/wire-audit.ts';
import { appendEvents, readHead } from '../../../../../server/stores/sqlite/write/write-trail.ts';
import { aPatientGrant, aPersonKey, anAudit, aQuery, NOW } from '../../../../support/plans.ts';
import { ask, searchIds } from '../../../../support/reads.ts';

/** Chains events whose rows a kill left out, in a folder without a store. */
function chainAlone(folder: string, audits: readonly AuditRecord[]): void {
  const trail = openWriter(join(folder, 'trail.sqlite'));
  migrate(trail, MIGRATIONS.trail);
  trail.script('BEGIN');
  appendEvents(trail, readHead(trail), audits.map(toWireAudit));
  trail.script('COMMIT');
  trail.close();
}

describe('The rows of AuditEvents (SQLite)', () => {
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-event-index-'));
  });
  after(async () => {
    await rm(dataDir, { recursive: true, force: true });
  });

  it('are written at the start for what a kill left chained alone', async () => {
    const person = aPersonKey();
    const audits = Array.from({ length: 1_100 }, () => anAudit([person]));
    chainAlone(dataDir, audits);
    const stores = await openSqliteStores({ dataDir });
    try {
      const ids = await searchIds(stores.records, aPatientGrant(person), aQuery('AuditEvent', { count: 2_000 }));
      expect([...ids].sort()).to.deep.equal(audits.map(({ event }) => event.id).sort());
    } finally {
      await stores.close();
    }
  });

  it('say by the first of them whether earlier servers recorded some, however many they are', async () => {
    const person = aPersonKey();
    const folder = await mkdtemp(join(dataDir, 'many-'));
    chainAlone(
      folder,
      Array.from({ length: MAX_ORDERED_ROWS + 1 }, () => anAudit([person])),
    );
    const stores = await openSqliteStores({ dataDir: folder });
    try {
      const where = [{ kind: 'token', param: 'purpose', values: [{ code: 'TREAT' }] }] as const;
      const query = aQuery('AuditEvent', { where, count: 1 });
      const page = await ask(stores.records, aPatientGrant(person), { kind: 'search', query });
      expect([page.rows.length, page.lacksEarlier]).to.deep.equal([1, undefined]);
    } finally {
      await stores.close();
    }
  });

  it('are not all there while an event of a commit waits for the trail, which says since when', async () => {
    const stores = await openSqliteStores({ dataDir });
    const [records, trail] = [openWriter(join(dataDir, 'records.sqlite')), openWriter(join(dataDir, 'trail.sqlite'))];
    try {
      // As a full disk would.
      trail.script('BEGIN IMMEDIATE');
      const event = toWireAudit(anAudit());
      records.run('INSERT INTO audit_outbox (record) VALUES (?)', JSON.stringify({ event }));
      expect(await stores.trail.sealing()).to.deep.equal({ waitingSince: NOW, failures: 0 });
      trail.script('ROLLBACK');
      expect(await stores.trail.sealing()).to.deep.equal({ waitingSince: undefined, failures: 0 });
    } finally {
      records.close();
      trail.close();
      await stores.close();
    }
  });

  it('follow by themselves, each once', async () => {
    const stores = await openSqliteStores({ dataDir });
    const trail = openReader(join(dataDir, 'trail.sqlite'));
    const counts = () =>
      trail.get<{ chained: number; rows: number; queued: number }>(
        'SELECT (SELECT count(*) FROM chain) AS chained, (SELECT count(*) FROM resource) AS rows, (SELECT count(*) ' +
          'FROM unindexed) AS queued',
      );
    try {
      const before = counts()?.chained ?? 0;
      const audits = Array.from({ length: 250 }, () => anAudit());
      for (const audit of audits) void stores.trail.record([audit, audit]);
      await stores.trail.record(audits);
      const end = Date.now() + 5_000;
      while (counts()?.queued !== 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(counts()).to.deep.equal({ chained: before + 250, rows: before + 250, queued: 0 });
    } finally {
      trail.close();
      await stores.close();
    }
  });
});
