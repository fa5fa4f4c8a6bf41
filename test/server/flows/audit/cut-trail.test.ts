/** The job that cuts the audit trail, by a clock that is wrong. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cutTrail } from '../../../../server/flows/audit/cut-trail.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { anAudit, NOW } from '../../../support/plans.ts';

const DAY_MS = 86_400_000;

describe('The job that cuts the audit trail', () => {
  it('takes four weeks at a time and nothing that is anchored, though the clock is years ahead', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-cut-'));
    const { trail, records, close } = await openSqliteStores({ dataDir });
    await trail.record(
      [-99, -90, -80, -50, -40, -1].map((days) => {
        const { event, persons } = anAudit();
        return { event: { ...event, recorded: new Date(NOW + days * DAY_MS).toISOString() }, persons };
      }),
    );
    const clock = { now: () => NOW + 9_000 * DAY_MS };
    const deps = { trail, records, clock, years: 3, log: { warn: () => undefined } };
    const begins = async (anchored: number): Promise<number> => {
      await cutTrail({ ...deps, anchoredFrom: async () => anchored })({ goOn: async () => undefined });
      const found = await trail.verify();
      return found.whole ? found.begins : 0;
    };
    try {
      const all = [await begins(0), await begins(2), await begins(6), await begins(6), await begins(6)];
      expect(all).to.deep.equal([1, 2, 4, 6, 6]);
    } finally {
      await close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
