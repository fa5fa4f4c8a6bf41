/** What a write costs where much stands already. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { processorMsDuring } from '../../../support/run/cpu-time.ts';
import { anId, aPersonKey, aPlan, NOW } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';

const ROWS = 500;

describe('A write (SQLite)', function () {
  this.timeout(60_000);

  it('of a person costs no more when she has thousands of rows', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-growth-'));
    const { records, close } = await openSqliteStores({ dataDir });
    const { indexer } = await loadDefinitions();
    const person = aPersonKey();
    const origin = filedBy('Organization/a');
    const write = async (): Promise<number> => {
      const puts = Array.from({ length: ROWS }, () => {
        const order = { resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: {} } as const;
        return putOf(indexer, { ...order, id: anId() }, NOW, { person, subject: 'Patient/p', origin });
      });
      return await processorMsDuring(async () => await commitPlan(records, aPlan({ puts })));
    };
    try {
      const costs: number[] = [];
      for (let at = 0; at < 12; at += 1) costs.push(await write());
      expect(Math.min(...costs.slice(-3))).to.be.lessThan(4 * Math.min(...costs.slice(0, 3)));
    } finally {
      await close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
