/** The job that cuts the audit trail, by a clock that is wrong. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { askForCut, cutTrail } from '../../../../server/flows/audit/cut-trail.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { expectFault } from '../../../support/faults.ts';
import { anAudit, NOW } from '../../../support/plans.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

type Stores = Awaited<ReturnType<typeof openSqliteStores>>;

/** Works on stores with events that were recorded so many days before or after a moment. */
async function withEvents(days: readonly number[], work: (stores: Stores) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-cut-'));
  const stores = await openSqliteStores({ dataDir });
  try {
    await stores.trail.record(
      days.map((day) => {
        const { event, persons } = anAudit();
        return { event: { ...event, recorded: new Date(NOW + day * DAY_MS).toISOString() }, persons };
      }),
    );
    await work(stores);
  } finally {
    await stores.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

describe('The job that cuts the audit trail', () => {
  it('keeps events for the longest time that a server of the store says, until none says any', async () => {
    const YEAR = 366;
    await withEvents([-9 * YEAR, -6 * YEAR, -4 * YEAR, -1], async ({ trail, records }) => {
      let now = NOW;
      const clock = { now: () => now };
      const goOn = async (): Promise<void> => undefined;
      const log = { warn: () => undefined };
      const starts = async (years?: number): Promise<void> => await askForCut({ records, clock, years })();
      const begins = async (years: number): Promise<number> => {
        now += DAY_MS;
        await cutTrail({ trail, records, clock, years, log })({ goOn });
        const found = await trail.verify();
        return found.whole ? found.begins : 0;
      };
      await starts(5);
      await starts(8);
      expect((await expectFault(begins(5), 'conflict')).message).to.include('kept for 8 years');
      expect([await begins(8), await begins(10)]).to.deep.equal([2, 2]);
      expect((await expectFault(begins(8), 'conflict')).message).to.include('kept for 10 years');
      await starts();
      expect(await begins(5)).to.equal(3);
      expect((await expectFault(begins(3), 'conflict')).message).to.include('kept for 5 years');
    });
  });

  it('takes four weeks a day and nothing that is anchored, though a clock years ahead starts anew', async () => {
    await withEvents([-99, -90, -80, -50, -40, -1], async ({ trail, records }) => {
      let now = NOW + 9_000 * DAY_MS;
      const clock = { now: () => now };
      const deps = { trail, records, clock, years: 3, log: { warn: () => undefined } };
      const begins = async (anchored: number, hours = 24): Promise<number> => {
        now += hours * HOUR_MS;
        await cutTrail({ ...deps, anchoredFrom: async () => anchored })({ goOn: async () => undefined });
        const found = await trail.verify();
        return found.whole ? found.begins : 0;
      };
      expect([await begins(0), await begins(2)]).to.deep.equal([1, 2]);
      // What the last run left goes, and no more on the same day.
      expect([await begins(6, 1), await begins(6, 1), await begins(6, 1)]).to.deep.equal([4, 4, 4]);
      expect([await begins(6), await begins(6)]).to.deep.equal([6, 6]);
      // A cut of a day to come holds nothing up, once the clock is right.
      expect(await begins(7, -24_000)).to.equal(7);
    });
  });
});
