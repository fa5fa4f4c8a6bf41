/** What is restricted (GDPR 18) stays so, however often its items are put again, and whoever filed them. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { onFreshStores } from '../../../support/data-folder/fresh-stores.ts';
import { aPlan } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { listed, workBy } from './listed.ts';

describe('A restriction of processing', () => {
  const stores = onFreshStores('restricted');

  it('stays on an item whose former versions were erased, whenever it is looked at again', async () => {
    const { subject, list, put, grants, sees } = await listed(stores);
    await commitPlan(stores.records, aPlan({ puts: [put({ ...list, title: 'Liste' })] }));
    await commitPlan(stores.records, aPlan({ erased: [{ history: [{ type: 'List', id: list.id }] }] }));
    await pause(5);
    // Earlier servers did not say since when.
    await grants();
    expect(await sees()).to.equal(true);
    for (const later of [1, 2, 3]) {
      await workBy(stores, () => ({ serial: 1, isInformed: true })).ofPerson(subject);
      expect(await sees(), `after run ${later}`).to.equal(false);
    }
  });

  it('reaches what an establishment filed that the region file names no more, and leaves it when it ends', async () => {
    const { subject, grants, sees } = await listed(stores);
    const { ofPerson } = workBy(stores, () => ({ serial: 1, isNamed: false, isInformed: false }));
    const start = new Date().toISOString();
    const task = await grants({ executionPeriod: { start } });
    await ofPerson(subject);
    expect(await sees(), 'granted').to.equal(false);
    await grants({ executionPeriod: { start, end: new Date(Date.now() - 1).toISOString() } }, task);
    await ofPerson(subject);
    expect(await sees(), 'lifted').to.equal(true);
  });
});
