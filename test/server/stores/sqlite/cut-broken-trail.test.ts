/** A cut of a trail that somebody changed in its file: it is refused, so that no seal of the server is over it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { expectFault } from '../../../support/faults.ts';
import { anAudit, NOW } from '../../../support/plans.ts';

const DAY_MS = 86_400_000;

describe('The cut of a trail that was changed in its file', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'passerelle-cut-'));
  });
  afterEach(async () => {
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Records two events that are old and two that are not, changes the file, and cuts; answers where the trail ends. */
  async function cutAfter(sql: string): Promise<number> {
    const recorded = (days: number) => new Date(NOW + days * DAY_MS).toISOString();
    const first = await openSqliteStores({ dataDir });
    await first.trail.record(
      [-9, -8, -1, 0].map((days) => {
        const { event, persons } = anAudit();
        return { event: { ...event, recorded: recorded(days) }, persons };
      }),
    );
    await first.close();
    const file = new DatabaseSync(join(dataDir, 'trail.sqlite'));
    file.exec(sql);
    file.close();
    const { trail, close } = await openSqliteStores({ dataDir });
    const tell = async () => ({ record: anAudit() });
    const cutting = {
      before: NOW - 5 * DAY_MS,
      now: NOW,
      reach: 28 * DAY_MS,
      pause: 0,
      tell,
      isOurs: async () => true,
    };
    try {
      await expectFault(trail.cut(cutting), 'conflict');
      return (await trail.sealedHead()).sequence;
    } finally {
      await close();
    }
  }

  it('is refused where a record that would go is another', async () => {
    expect(await cutAfter("UPDATE chain SET body = body || ' ' WHERE sequence = 1")).to.equal(4);
  });

  it('is refused where a record that would go is missing', async () => {
    expect(await cutAfter('DELETE FROM chain WHERE sequence = 2')).to.equal(4);
  });

  it('is refused where the first records are missing, and no cut tells of them', async () => {
    expect(await cutAfter('DELETE FROM chain WHERE sequence = 1')).to.equal(4);
  });

  it('is refused where the first record that stays does not follow on what would go', async () => {
    const hash = 'f'.repeat(64);
    expect(await cutAfter(`UPDATE chain SET hash = '${hash}' WHERE sequence = 2`)).to.equal(4);
    await rm(dataDir, { recursive: true });
    expect(await cutAfter("UPDATE chain SET body = body || ' ' WHERE sequence = 3")).to.equal(4);
  });
});
