/** The work that follows what region files say of informing patients: by which process, and past what fails. */
import type { List } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../../fixtures/people.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { setMark } from '../../../../server/flows/directory/region-mark.ts';
import { settleGround } from '../../../../server/flows/ground/settle-ground.ts';
import { settleRegion } from '../../../../server/flows/ground/settle-region.ts';
import type { RegionIndex } from '../../../../server/flows/identity/region-index.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { onFreshStores } from '../../../support/data-folder/fresh-stores.ts';
import { expectFault } from '../../../support/faults.ts';
import { aGrant, anId, anIdentity, aPersonKey, aPlan, aRight, patientOf } from '../../../support/plans.ts';
import { read } from '../../../support/reads.ts';
import { aRegionIndex } from '../../../support/region.ts';
import { commitPlan } from '../../../support/warrants.ts';

const { organization } = ESTABLISHMENTS.nancy;
const GO_ON = { goOn: async (): Promise<void> => undefined };

describe('The ground of all items', () => {
  const stores = onFreshStores('settle-region');
  /** The work as a process does it whose file has a serial and says whether patients are informed. */
  const workOf = (serial: number, isInformed: boolean, records: RecordStore = stores.records) => {
    const systems = { patientIdSystem: 'urn:oid:2.25.1', accessionSystem: 'urn:oid:2.25.2' };
    const domain = {
      organization,
      ...systems,
      qualifies: [],
      informsPatients: isInformed ? '2000-01-01' : false,
    } as const;
    const region: RegionIndex = aRegionIndex(systems, {
      serial,
      establishments: [organization],
      domainOf: () => domain,
      informs: () => isInformed,
    });
    const deps = { records, clock: { now: Date.now }, indexer: stores.indexer, region };
    return { ofRegion: settleRegion(deps), ofPerson: settleGround(deps) };
  };
  const marked = async (serial: number): Promise<void> =>
    await setMark(stores.records, undefined, { serial, digest: 'digest', state: 'written' });

  /** A list of somebody, filed while all were shared; `sees` is whether a professional whom she declared does. */
  async function filed(id = anId()) {
    const { records, indexer } = stores;
    const person = aPersonKey();
    const subject = patientOf(person);
    const patient = { ...toPatient(PATIENTS.helene, ESTABLISHMENTS.nancy), id: String(person) };
    const list: List & { id: string } = {
      resourceType: 'List',
      id,
      status: 'current',
      mode: 'working',
      subject: { reference: subject },
    };
    const about = { person, subject, released: true, origin: filedBy(organization) };
    const puts = [anIdentity(person), ...[patient, list].map((one) => putOf(indexer, one, Date.now(), about))];
    await commitPlan(records, aPlan({ puts, rights: [aRight({ person })] }));
    const sees = async (): Promise<boolean> =>
      (await read(records, aGrant('Practitioner/lambert'), { type: 'List', id })) !== undefined;
    return { subject, sees };
  }

  it('is that of what the store held before the work was done for the first time', async () => {
    const { sees } = await filed();
    await marked(2);
    await workOf(2, false).ofRegion({}, GO_ON);
    expect(await sees()).to.equal(false);
  });

  it('is left to others by a process whose file is not that of the store', async () => {
    const { subject, sees } = await filed();
    await marked(2);
    await workOf(2, true).ofRegion({}, GO_ON);
    for (const serial of [1, 3]) {
      const { ofRegion, ofPerson } = workOf(serial, false);
      await expectFault(ofRegion({}, GO_ON), 'transient');
      await expectFault(ofPerson({ subject }, GO_ON), 'transient');
      expect(await sees()).to.equal(true);
    }
    // Nothing of what it says is kept for what was done.
    await workOf(2, true).ofRegion({}, GO_ON);
    expect(await sees()).to.equal(true);
  });

  it('is brought to the others where an item cannot be put, and the work fails at its end', async () => {
    const [one, broken, other] = [await filed(), 'broken', await filed()];
    const cannot = await filed(broken);
    await marked(2);
    const { records } = stores;
    const commit: RecordStore['commit'] = async (...args) => {
      if (args[1].puts?.some(({ id }) => id === broken)) throw new Fault('exception', 'It cannot be put');
      return await records.commit(...args);
    };
    const failing = new Proxy<RecordStore>(records, {
      get: (_, name) => {
        const member: unknown = name === 'commit' ? commit : Reflect.get(records, name);
        return typeof member === 'function' ? (member.bind(records) as unknown) : member;
      },
    });
    const { ofRegion } = workOf(2, false, failing);
    await expectFault(ofRegion({}, GO_ON), 'exception');
    expect([await one.sees(), await cannot.sees(), await other.sees()]).to.deep.equal([false, true, false]);
    await workOf(2, false).ofRegion({}, GO_ON);
    expect(await cannot.sees()).to.equal(false);
  });
});
