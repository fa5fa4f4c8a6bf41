/** A list that Nancy filed of somebody, and the work that brings it to its states, as one process or several do it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { List, Resource, Task } from '@medplum/fhirtypes';
import { toPatient } from '../../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../../fixtures/people.ts';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { groundWork } from '../../../../server/flows/ground/settle-region.ts';
import type { RegionIndex } from '../../../../server/flows/identity/region-index.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { Put } from '../../../../server/ports/commit-plan.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import type { FreshStores } from '../../../support/data-folder/fresh-stores.ts';
import { aGrant, anId, anIdentity, aPersonKey, aPlan, aRight, patientOf } from '../../../support/plans.ts';
import { read } from '../../../support/reads.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { commitPlan } from '../../../support/warrants.ts';

const { organization } = ESTABLISHMENTS.nancy;
const GO_ON = { goOn: async (): Promise<void> => undefined };

/** Files it; nothing is said of it but that a professional was declared. */
export async function listed({ records, indexer }: FreshStores, id = anId()) {
  const person = aPersonKey();
  const subject = patientOf(person);
  const patient = { ...toPatient(PATIENTS.helene, ESTABLISHMENTS.nancy), id: String(person) };
  const about = { person, subject, released: true, origin: filedBy(organization) };
  const list: List & { id: string } = {
    resourceType: 'List',
    id,
    status: 'current',
    mode: 'working',
    subject: { reference: subject },
  };
  const put = (resource: Resource): Put => putOf(indexer, resource, Date.now(), about);
  const puts = [anIdentity(person), put(patient), put(list)];
  await commitPlan(records, aPlan({ puts, rights: [aRight({ person })] }));
  await pause(5);
  return {
    subject,
    list,
    put,
    /** Grants a restriction, or says of one since when it is granted and until when. */
    grants: async (said: Pick<Task, 'executionPeriod'> = {}, task = anId()): Promise<string> => {
      const resource: Task = {
        resourceType: 'Task',
        id: task,
        status: 'completed',
        intent: 'order',
        code: { coding: [{ system: CODE_SYSTEM.task, code: 'restriction' }] },
        for: { reference: subject },
        lastModified: new Date().toISOString(),
        ...said,
      };
      await commitPlan(records, aPlan({ puts: [put(resource)] }));
      await pause(5);
      return task;
    },
    /** Whether the professional sees it. */
    sees: async (): Promise<boolean> =>
      (await read(records, aGrant('Practitioner/lambert'), { type: 'List', id })) !== undefined,
  };
}

/** What a region file says of Nancy, if it names it, and its serial. */
export type Said = { readonly serial: number; readonly isNamed?: boolean; readonly isInformed: boolean };

/** The work of a process by what its region file says when it is asked. */
export function workBy({ records, indexer }: Pick<FreshStores, 'records' | 'indexer'>, said: () => Said) {
  const systems = { patientIdSystem: 'urn:oid:2.25.1', accessionSystem: 'urn:oid:2.25.2' };
  const region: RegionIndex = Object.defineProperties(
    aRegionIndex(systems, {
      domainOf: () => ({
        organization,
        ...systems,
        qualifies: [],
        informsPatients: said().isInformed ? '2000-01-01' : false,
      }),
      informs: () => said().isInformed,
    }),
    {
      serial: { get: () => said().serial },
      establishments: { get: () => (said().isNamed === false ? [] : [organization]) },
    },
  );
  const work = groundWork({ records, clock: { now: Date.now }, indexer, region });
  return {
    ofRegion: async (run = GO_ON): Promise<void> => await work['settle-region']({}, run),
    ofPerson: async (subject: string, run = GO_ON): Promise<void> => await work['settle-ground']({ subject }, run),
  };
}

/** A store on which something happens before a call (`isIt`) goes on, once, and the jobs that are asked for in it. */
export function interrupted(
  records: RecordStore,
  isIt: (name: 'commit' | 'claimed', ...args: readonly unknown[]) => boolean,
  happens: () => Promise<void>,
): { readonly records: RecordStore; readonly asked: () => readonly string[] } {
  let isDone = false;
  const asked: string[] = [];
  const before = async (name: 'commit' | 'claimed', args: readonly unknown[]): Promise<void> => {
    if (isDone || !isIt(name, ...args)) return;
    isDone = true;
    await happens();
  };
  const changed: Pick<RecordStore, 'commit' | 'claimed'> = {
    commit: async (warrant, plan) => {
      await before('commit', [warrant, plan]);
      const receipt = await records.commit(warrant, plan);
      asked.push(...(plan.jobs ?? []).filter(({ kind }) => kind === 'settle-ground').map(({ subject }) => subject));
      return receipt;
    },
    claimed: async (grant, key) => {
      await before('claimed', [grant, key]);
      return await records.claimed(grant, key);
    },
  };
  return {
    asked: () => asked,
    records: new Proxy(records, {
      get: (_, name) => {
        const member: unknown = Reflect.get(name in changed ? changed : records, name);
        return typeof member === 'function' ? (member.bind(records) as unknown) : member;
      },
    }),
  };
}
