/** The work that follows what region files say of informing patients: by which process, and past what fails. */
import { expect } from 'chai';
import { Fault } from '../../../../profiles/fault.ts';
import { setMark } from '../../../../server/flows/directory/region-mark.ts';
import type { RecordStore } from '../../../../server/ports/record-store.ts';
import { onFreshStores } from '../../../support/data-folder/fresh-stores.ts';
import { expectFault } from '../../../support/faults.ts';
import { interrupted, listed, workBy } from './listed.ts';

describe('The ground of all items', () => {
  const stores = onFreshStores('settle-region');
  /** The work as a process does it whose file has a serial and says whether patients are informed. */
  const workOf = (serial: number, isInformed: boolean, records: RecordStore = stores.records) =>
    workBy({ records, indexer: stores.indexer }, () => ({ serial, isInformed }));
  const marked = async (serial: number): Promise<void> =>
    await setMark(stores.records, undefined, { serial, digest: 'digest', state: 'written' });

  it('is that of what the store held before the work was done for the first time', async () => {
    const { sees } = await listed(stores);
    await marked(2);
    await workOf(2, false).ofRegion();
    expect(await sees()).to.equal(false);
  });

  it('is left to others by a process whose file is not that of the store', async () => {
    const { subject, sees } = await listed(stores);
    await marked(2);
    await workOf(2, true).ofRegion();
    for (const serial of [1, 3]) {
      const { ofRegion, ofPerson } = workOf(serial, false);
      await expectFault(ofRegion(), 'transient');
      await expectFault(ofPerson(subject), 'transient');
      expect(await sees()).to.equal(true);
    }
    // Nothing of what it says is kept for what was done.
    await workOf(2, true).ofRegion();
    expect(await sees()).to.equal(true);
  });

  it('is looked at again where no Consent had come, and not where all that it rests on was read', async () => {
    const { subject, sees } = await listed(stores);
    await marked(2);
    const { records, asked } = interrupted(
      stores.records,
      () => false,
      async () => undefined,
    );
    await workOf(2, true, records).ofRegion();
    await workOf(2, false, records).ofRegion();
    const ofHers = (): readonly string[] => asked().filter((one) => one === subject);
    expect([await sees(), ofHers()], 'hidden').to.deep.equal([false, [subject]]);
    await workOf(2, true, records).ofRegion();
    expect([await sees(), ofHers()], 'shared').to.deep.equal([true, [subject]]);
  });

  it('is brought to the others where an item cannot be put, and the work fails at its end', async () => {
    const [one, broken, other] = [await listed(stores), 'broken', await listed(stores)];
    const cannot = await listed(stores, broken);
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
    await expectFault(ofRegion(), 'exception');
    expect([await one.sees(), await cannot.sees(), await other.sees()]).to.deep.equal([false, true, false]);
    await workOf(2, false).ofRegion();
    expect(await cannot.sees()).to.equal(false);
  });
});
