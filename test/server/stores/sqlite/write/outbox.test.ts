import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openWriter, type Database } from '../../../../../server/stores/sqlite/database.ts';
import { BODY_COLUMNS, bodyOf, type ChainedBody } from '../../../../../server/stores/sqlite/audit/audit-rows.ts';
import { wholeBody } from '../../../../../server/stores/sqlite/audit/event-body.ts';
import { toWireAudit } from '../../../../../server/stores/sqlite/audit/wire-audit.ts';
import { MIGRATIONS, migrate } from '../../../../../server/stores/sqlite/schema.ts';
import { runGroup } from '../../../../../server/stores/sqlite/write/order-thread.ts';
import { Outbox } from '../../../../../server/stores/sqlite/write/outbox.ts';
import type { WireAudit } from '../../../../../server/stores/sqlite/write/protocol.ts';
import { readHead } from '../../../../../server/stores/sqlite/write/write-trail.ts';
import { anAudit } from '../../../../support/plans.ts';

type Order = { readonly sequence: number; readonly event?: WireAudit };

describe('Events that are chained in groups (SQLite)', () => {
  let dataDir: string;
  let [trail, outbox]: [Database?, Outbox?] = [];
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-outbox-'));
    trail = openWriter(join(dataDir, 'trail.sqlite'));
    migrate(trail, MIGRATIONS.trail);
    const moved = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
    outbox = new Outbox(trail, trail, readHead(trail), moved);
  });
  afterEach(async () => {
    trail?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Events of two forms. */
  const events = (): readonly WireAudit[] => [
    toWireAudit(anAudit()),
    toWireAudit(anAudit()),
    toWireAudit(anAudit([], undefined, [{ role: '24', query: 'a' }])),
  ];
  const written = (...orders: readonly Order[]) => {
    const [chain, db] = [outbox, trail];
    if (chain === undefined || db === undefined) throw new Error('Nothing is open');
    const { answers } = chain.whole((again) =>
      runGroup(
        db,
        orders,
        ({ event }) => {
          if (event === undefined) throw new Error('No');
          chain.append([event]);
        },
        { again },
      ),
    );
    const rows = db.all<ChainedBody & { id: string }>(`SELECT c.id, ${BODY_COLUMNS} ORDER BY c.sequence`);
    return { failed: answers.filter((answer) => 'fault' in answer).length, rows };
  };
  const bodies = (some: readonly WireAudit[]) => some.map(({ id, body }) => [id, wholeBody(body)]);

  it('keep their bodies when a group is applied again, and when none of it stood', () => {
    const [first, second, other] = events();
    if (first === undefined || second === undefined || other === undefined) throw new Error('no events');
    // Alone, the order that fails leaves nothing of its group.
    expect(written({ sequence: 1 }).rows).to.deep.equal([]);
    const { failed, rows } = written(
      { sequence: 1, event: first },
      { sequence: 2, event: second },
      { sequence: 3 },
      { sequence: 4, event: other },
    );
    expect(failed).to.equal(1);
    expect(rows.map((row) => [row.id, bodyOf(row)])).to.deep.equal(bodies([first, second, other]));
  });

  it('keep their bodies when the transaction before them was lost', () => {
    const [first, second, other] = events();
    if (first === undefined || second === undefined || other === undefined) throw new Error('no events');
    const db = trail;
    if (db === undefined) throw new Error('Nothing is open');
    outbox?.whole(() => {
      db.run('BEGIN IMMEDIATE');
      outbox?.append([first, second]);
      db.run('ROLLBACK');
      return { answers: [], isCommitted: false };
    });
    const { rows } = written({ sequence: 1, event: other }, { sequence: 2, event: second });
    expect(rows.map((row) => [row.id, bodyOf(row)])).to.deep.equal(bodies([other, second]));
  });
});
