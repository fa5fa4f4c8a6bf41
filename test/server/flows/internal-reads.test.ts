/** What the server reads of a person is all of it, however much somebody filed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemReading } from '../../../server/access/grant.ts';
import { findAll } from '../../../server/flows/internal-reads.ts';
import { filedBy, putOf } from '../../../server/flows/write/plan-parts.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { openSqliteStores } from '../../../server/stores/sqlite/open.ts';
import { aPersonKey, aPlan, NOW } from '../../support/plans.ts';
import { commitPlan } from '../../support/warrants.ts';

const MANY = 2_010;

describe('What the server reads of a person', () => {
  it('has no last row that it does not see', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-internal-'));
    const { records, close } = await openSqliteStores({ dataDir: folder });
    try {
      const { indexer } = await loadDefinitions();
      const person = aPersonKey();
      const puts = Array.from({ length: MANY }, (_, at) => {
        const row = { resourceType: 'CareTeam', id: `c${at}`, status: 'active' } as const;
        return putOf(indexer, row, NOW, { person, subject: 'Patient/one', origin: filedBy('Organization/clinic') });
      });
      for (let at = 0; at < MANY; at += 201) await commitPlan(records, aPlan({ puts: puts.slice(at, at + 201) }));
      const found = await findAll(records, systemReading('maintain-study', NOW)({ person }), 'CareTeam', []);
      expect(new Set(found.map(({ row }) => row.id)).size).to.equal(MANY);
    } finally {
      await close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
