/** What is restricted (GDPR 18) stays so, however often its items are put again. */
import { setTimeout as pause } from 'node:timers/promises';
import type { List, Resource, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../../fixtures/people.ts';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { settleGround } from '../../../../server/flows/ground/settle-ground.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { Put } from '../../../../server/ports/commit-plan.ts';
import { onFreshStores } from '../../../support/data-folder/fresh-stores.ts';
import { aGrant, anId, anIdentity, aPersonKey, aPlan, aRight, patientOf } from '../../../support/plans.ts';
import { read } from '../../../support/reads.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { commitPlan } from '../../../support/warrants.ts';

const { organization } = ESTABLISHMENTS.nancy;

describe('A restriction of processing', () => {
  const stores = onFreshStores('restricted');

  it('stays on an item whose former versions were erased, whenever it is looked at again', async () => {
    const { records, indexer } = stores;
    const person = aPersonKey();
    const subject = patientOf(person);
    const patient = { ...toPatient(PATIENTS.helene, ESTABLISHMENTS.nancy), id: String(person) };
    const about = { person, subject, released: true, origin: filedBy(organization) };
    const list: List & { id: string } = {
      resourceType: 'List',
      id: anId(),
      status: 'current',
      mode: 'working',
      subject: { reference: subject },
    };
    const put = (resource: Resource): Put => putOf(indexer, resource, Date.now(), about);
    const puts = [anIdentity(person), put(patient), put(list)];
    await commitPlan(records, aPlan({ puts, rights: [aRight({ person })] }));
    await commitPlan(records, aPlan({ puts: [put({ ...list, title: 'Liste' })] }));
    await commitPlan(records, aPlan({ erased: [{ history: [{ type: 'List', id: list.id }] }] }));
    await pause(5);
    const task: Task & { id: string } = {
      resourceType: 'Task',
      id: anId(),
      status: 'completed',
      intent: 'order',
      code: { coding: [{ system: CODE_SYSTEM.task, code: 'restriction' }] },
      for: { reference: subject },
      lastModified: new Date().toISOString(),
    };
    await commitPlan(records, aPlan({ puts: [put(task)] }));
    await pause(5);
    const region = aRegionIndex(
      { patientIdSystem: 'urn:oid:2.25.1', accessionSystem: 'urn:oid:2.25.2' },
      { establishments: [organization], informs: () => true },
    );
    const sees = async (): Promise<boolean> =>
      (await read(records, aGrant('Practitioner/lambert'), { type: 'List', id: list.id })) !== undefined;
    expect(await sees()).to.equal(true);
    for (const later of [1, 2, 3]) {
      const settle = settleGround({ records, clock: { now: Date.now }, indexer, region });
      await settle({ subject }, { goOn: async () => undefined });
      expect(await sees(), `after run ${later}`).to.equal(false);
    }
  });
});
