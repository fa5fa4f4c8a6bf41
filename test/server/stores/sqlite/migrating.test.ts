/** A data folder that an earlier server left is brought up, and says what it said. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { indexAuditEvent } from '../../../../profiles/search/audit-event-index.ts';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import { principal } from '../../../../server/access/right.ts';
import type { AuditRecord } from '../../../../server/ports/commit-plan.ts';
import { EMPTY_CHAIN, readyEvent, sealBody } from '../../../../server/stores/audit-chain.ts';
import { openWriter, type Database } from '../../../../server/stores/sqlite/database.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { MIGRATIONS, migrate } from '../../../../server/stores/sqlite/schema.ts';
import { areMigratedJobs } from '../../../support/jobs/jobs.ts';
import { aPatientGrant, aPersonKey, anAudit, anId, aQuery, SYSTEM } from '../../../support/plans.ts';
import { idsOf as idsOfRows, searchIds } from '../../../support/reads.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';

/** Versions of the files before the forms of events. */
const [RECORDS_BEFORE, TRAIL_BEFORE] = [3, 2];

/**
 * Writes events as version 2 of the trail kept them: each with a whole body, and its search values under its own row.
 */
function writeEvents(db: Database, records: readonly AuditRecord[]): void {
  let head = EMPTY_CHAIN;
  records.forEach(({ event, persons }, at) => {
    const { body: present, personal } = readyEvent({ event, persons });
    // They did not name the persons.
    const { persons: _, ...former } = JSON.parse(present) as { persons?: unknown };
    const body = JSON.stringify(former);
    const [entry, rid] = [sealBody(head, body), at + 1];
    const sort = Date.parse(event.recorded ?? '');
    db.run(
      'INSERT INTO chain (sequence, id, hash, body) VALUES (?, ?, ?, ?)',
      entry.sequence,
      event.id,
      entry.hash,
      body,
    );
    for (const side of ['agents', 'entities'] as const)
      db.run(
        'INSERT INTO personal VALUES (?, ?, ?, ?)',
        event.id,
        side,
        personal[side]?.salt ?? '',
        personal[side]?.json ?? '',
      );
    db.run(
      'INSERT INTO resource (rid, type, id, version, updated, sort, level, released, json) VALUES (?, ' +
        "'AuditEvent', ?, 1, ?, ?, 0, 1, '')",
      rid,
      event.id,
      sort,
      sort,
    );
    const { tokens, references, dates } = indexAuditEvent(event, 1);
    for (const { param, value, system } of tokens)
      db.run('INSERT INTO token VALUES (?, ?, ?, ?)', `AuditEvent.${param}`, value, system, rid);
    for (const { param, target } of references)
      db.run('INSERT INTO reference VALUES (?, ?, ?)', `AuditEvent.${param}`, target, rid);
    for (const { param, lo, hi } of dates)
      db.run('INSERT INTO date_range VALUES (?, ?, ?, ?)', `AuditEvent.${param}`, lo, hi, rid);
    for (const person of persons)
      db.run(
        "INSERT INTO acl VALUES (?, 'AuditEvent', ?, ?, ?, ?, 'named', NULL, 0, 8640000000000000)",
        principal.patient(person),
        sort,
        event.id,
        `${event.id}|${person}`,
        rid,
      );
    head = entry;
  });
}

describe('The files of an earlier server (SQLite)', function () {
  this.timeout(30_000);
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-migrating-'));
  });
  after(async () => {
    await rm(dataDir, { recursive: true, force: true });
  });

  it('keep their events: whole chain, same bodies, found by the same values; and go on', async () => {
    const person = aPersonKey();
    const [plain, ofPatient, waiting] = [
      anAudit([person]),
      anAudit([person], anId(), [{ what: { reference: 'Patient/1' }, type: '1' }]),
      anAudit([person]),
    ];
    const trail = openWriter(join(dataDir, 'trail.sqlite'));
    migrate(trail, MIGRATIONS.trail.slice(0, TRAIL_BEFORE));
    writeEvents(trail, [plain, ofPatient]);
    trail.close();
    const records = openWriter(join(dataDir, 'records.sqlite'));
    migrate(records, MIGRATIONS.records.slice(0, RECORDS_BEFORE));
    records.run(
      'INSERT INTO audit_outbox (record) VALUES (?)',
      JSON.stringify({ event: { ...waiting, index: indexAuditEvent(waiting.event) } }),
    );
    records.close();

    const stores = await openSqliteStores({ dataDir });
    try {
      expect(await stores.trail.verify()).to.deep.include({ whole: true, erased: 0 });
      const later = anAudit([person]);
      await stores.trail.record([later]);
      const all = [plain, ofPatient, waiting, later];
      const found = async (where: readonly Criterion[]) =>
        [
          ...idsOfRows(
            (await stores.records.peek(SYSTEM, { kind: 'search', query: aQuery('AuditEvent', { where }) })).rows,
          ),
        ].sort();
      const idsOf = (audits: readonly AuditRecord[]) => audits.map(({ event }) => event.id).sort();
      expect(await found([{ kind: 'token', param: 'subtype', values: [{ code: 'read' }] }])).to.deep.equal(idsOf(all));
      expect(await found([{ kind: 'reference', param: 'patient', values: ['Patient/1'] }])).to.deep.equal(
        idsOf([ofPatient]),
      );
      expect(await found([{ kind: 'missing', param: 'patient', missing: true }])).to.deep.equal(
        idsOf([plain, waiting, later]),
      );
      expect(await searchIds(stores.records, aPatientGrant(person), aQuery('AuditEvent'))).to.have.members(idsOf(all));
      for (const { event } of all) {
        const row = await stores.records.peek(SYSTEM, { kind: 'resource', type: 'AuditEvent', id: event.id });
        const { meta, ...read } = openedResource(row ?? expect.fail('The event is not found'));
        const { meta: claimed, ...recorded } = event;
        expect(read).to.deep.equal(JSON.parse(JSON.stringify(recorded)));
        expect(meta?.profile).to.deep.equal(claimed?.profile);
      }
      expect(await stores.trail.verify()).to.deep.include({ whole: true, erased: 0 });
      // Of an erasure by an earlier server no record tells.
      const trailFile = openWriter(join(dataDir, 'trail.sqlite'));
      trailFile.run(
        "DELETE FROM personal WHERE side = 'entities' AND id IN (?, ?)",
        plain.event.id,
        ofPatient.event.id,
      );
      expect(await stores.trail.verify()).to.deep.include({ whole: true, erased: 2, unexplained: 2 });
      trailFile.run("DELETE FROM personal WHERE side = 'entities' AND id = ?", later.event.id);
      trailFile.close();
      expect(await stores.trail.verify()).to.deep.include({ whole: false, sequence: 4 });
    } finally {
      await stores.close();
    }
  });

  it('make jobs of what stood on the agenda', async () => {
    const folder = join(dataDir, 'agenda');
    await mkdir(folder);
    const records = openWriter(join(folder, 'records.sqlite'));
    migrate(records, MIGRATIONS.records.slice(0, RECORDS_BEFORE));
    for (const [at, kind] of ['refresh', 'update', 'close', 'erase', 'forget'].entries())
      records.run('INSERT INTO agenda (key, at) VALUES (?, ?)', `${kind}|1.2.${at}`, at);
    records.close();
    const stores = await openSqliteStores({ dataDir: folder });
    try {
      expect(await stores.jobs.list({ limit: 10 }, 0)).to.satisfy(areMigratedJobs);
      expect(await stores.jobs.due(0)).to.deep.equal(['refresh-study']);
    } finally {
      await stores.close();
    }
  });
});
