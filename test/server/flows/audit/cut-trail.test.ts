/** The job that cuts the audit trail, by a clock that is wrong. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cutTrail } from '../../../../server/flows/audit/cut-trail.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { anAudit, NOW } from '../../../support/plans.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

describe('The job that cuts the audit trail', () => {
  it('takes four weeks a day and nothing that is anchored, though a clock that is years ahead starts anew', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-cut-'));
    const { trail, records, close } = await openSqliteStores({ dataDir });
    await trail.record(
      [-99, -90, -80, -50, -40, -1].map((days) => {
        const { event, persons } = anAudit();
        return { event: { ...event, recorded: new Date(NOW + days * DAY_MS).toISOString() }, persons };
      }),
    );
    let now = NOW + 9_000 * DAY_MS;
    const clock = { now: () => now };
    const deps = { trail, records, clock, years: 3, log: { warn: () => undefined } };
    const begins = async (anchored: number, hours = 24): Promise<number> => {
      now += hours * HOUR_MS;
      await cutTrail({ ...deps, anchoredFrom: async () => anchored })({ goOn: async () => undefined });
      const found = await trail.verify();
      return found.whole ? found.begins : 0;
    };
    try {
      expect([await begins(0), await begins(2)]).to.deep.equal([1, 2]);
      // What the last run left goes, and no more on the same day.
      expect([await begins(6, 1), await begins(6, 1), await begins(6, 1)]).to.deep.equal([4, 4, 4]);
      expect([await begins(6), await begins(6)]).to.deep.equal([6, 6]);
      // A cut of a day to come holds nothing up, once the clock is right.
      expect(await begins(7, -24_000)).to.equal(7);
    } finally {
      await close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
