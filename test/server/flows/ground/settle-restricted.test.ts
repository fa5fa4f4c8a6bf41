/** What is restricted (GDPR 18) stays so, however often its items are put again, and whoever filed them. */
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

  /** A list of somebody, what follows, and whether a professional whom she declared sees it. */
  async function listed() {
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
    const task: Task & { id: string } = {
      resourceType: 'Task',
      id: anId(),
      status: 'completed',
      intent: 'order',
      code: { coding: [{ system: CODE_SYSTEM.task, code: 'restriction' }] },
      for: { reference: subject },
    };
    return {
      list,
      put,
      /** Says since when it is granted and until when, as earlier servers did by nothing. */
      grants: async (period: Pick<Task, 'executionPeriod'> = {}): Promise<void> => {
        const lastModified = new Date().toISOString();
        await commitPlan(records, aPlan({ puts: [put({ ...task, ...period, lastModified })] }));
        await pause(5);
      },
      /** Settles it by a region file that names these establishments. */
      settle: async (...establishments: readonly string[]): Promise<void> => {
        const systems = { patientIdSystem: 'urn:oid:2.25.1', accessionSystem: 'urn:oid:2.25.2' };
        const informs = (one: string): boolean => establishments.includes(one);
        const region = aRegionIndex(systems, { establishments, informs });
        const settle = settleGround({ records, clock: { now: Date.now }, indexer, region });
        await settle({ subject }, { goOn: async () => undefined });
      },
      sees: async (): Promise<boolean> =>
        (await read(records, aGrant('Practitioner/lambert'), { type: 'List', id: list.id })) !== undefined,
    };
  }

  it('stays on an item whose former versions were erased, whenever it is looked at again', async () => {
    const { list, put, grants, settle, sees } = await listed();
    await commitPlan(stores.records, aPlan({ puts: [put({ ...list, title: 'Liste' })] }));
    await commitPlan(stores.records, aPlan({ erased: [{ history: [{ type: 'List', id: list.id }] }] }));
    await pause(5);
    await grants();
    expect(await sees()).to.equal(true);
    for (const later of [1, 2, 3]) {
      await settle(organization);
      expect(await sees(), `after run ${later}`).to.equal(false);
    }
  });

  it('reaches what an establishment filed that the region file names no more, and leaves it when it ends', async () => {
    const { grants, settle, sees } = await listed();
    await pause(5);
    const start = new Date().toISOString();
    await grants({ executionPeriod: { start } });
    await settle('Organization/other');
    expect(await sees(), 'granted').to.equal(false);
    await grants({ executionPeriod: { start, end: new Date(Date.now() - 1).toISOString() } });
    await settle('Organization/other');
    expect(await sees(), 'lifted').to.equal(true);
  });
});
