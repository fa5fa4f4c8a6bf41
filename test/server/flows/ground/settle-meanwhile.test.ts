/** What is said while items are brought to their states counts, whichever work writes last (R-37, GDPR 18). */
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { readMark, setMark } from '../../../../server/flows/directory/region-mark.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import { onFreshStores } from '../../../support/data-folder/fresh-stores.ts';
import { expectFault } from '../../../support/faults.ts';
import { aPlan } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { interrupted, listed, workBy, type Said } from './listed.ts';

const { organization } = ESTABLISHMENTS.nancy;
const SHARED: Said = { serial: 2, isInformed: true };
const HIDDEN: Said = { serial: 2, isInformed: false };

describe('Two works on the states of one item', () => {
  const stores = onFreshStores('settle-meanwhile');
  const marked = async (serial: number): Promise<void> => {
    const standing = await readMark(stores.records, Date.now());
    await setMark(stores.records, standing, { serial, digest: `digest ${serial}`, state: 'written' });
  };
  const isCommit = (name: string): boolean => name === 'commit';

  /** Lets one work on a person's items begin, another run to its end meanwhile, and the looks that were asked for. */
  async function works(subject: string, said: () => Said, isIt: typeof isCommit, meanwhile: () => Promise<void>) {
    const { records, asked } = interrupted(stores.records, isIt, async () => {
      await meanwhile();
      await workBy(stores, said).ofPerson(subject);
    });
    const { ofPerson } = workBy({ records, indexer: stores.indexer }, said);
    await ofPerson(subject);
    for (let at = 0; at < asked().length; at += 1) await ofPerson(asked()[at] ?? '');
  }

  it('leave what a restriction hides that was granted after the first had begun', async () => {
    const { subject, grants, sees } = await listed(stores);
    await marked(2);
    await workBy(stores, () => HIDDEN).ofPerson(subject);
    await works(
      subject,
      () => SHARED,
      isCommit,
      async () => void (await grants()),
    );
    expect(await sees()).to.equal(false);
  });

  it('leave what a restriction hides that was granted when another had just ended', async () => {
    const { subject, grants, sees } = await listed(stores);
    await marked(2);
    const start = new Date().toISOString();
    const former = await grants({ executionPeriod: { start } });
    await workBy(stores, () => SHARED).ofPerson(subject);
    await grants({ executionPeriod: { start, end: new Date(Date.now() - 1).toISOString() } }, former);
    await works(
      subject,
      () => SHARED,
      isCommit,
      async () => void (await grants()),
    );
    expect(await sees()).to.equal(false);
  });

  it('leave shared what an establishment informed her of after the first had begun', async () => {
    const { subject, sees } = await listed(stores);
    await marked(2);
    const claims = [{ key: claimKey.informed(organization, subject), value: 'consent' }];
    await works(
      subject,
      () => HIDDEN,
      isCommit,
      async () => {
        await commitPlan(stores.records, aPlan({ claims }));
      },
    );
    expect(await sees()).to.equal(true);
  });

  it('leave shared what another region file shares that was loaded after the first had begun', async () => {
    const { subject, sees } = await listed(stores);
    await marked(2);
    let said = HIDDEN;
    const isAsked = (_name: string, _grant?: unknown, key?: unknown): boolean =>
      key === claimKey.informed(organization, subject);
    await works(
      subject,
      () => said,
      isAsked,
      async () => {
        await marked(3);
        said = { serial: 3, isInformed: true };
      },
    );
    expect(await sees()).to.equal(true);
  });

  it('leave nothing as a region file said whose work was broken off', async () => {
    const { sees } = await listed(stores);
    await marked(2);
    await workBy(stores, () => SHARED).ofRegion();
    await marked(3);
    const { ofRegion } = workBy(stores, () => ({ serial: 3, isInformed: false }));
    const goOn = async (): Promise<void> => {
      if (!(await sees())) throw new Fault('transient', 'The job is to end');
    };
    await expectFault(ofRegion({ goOn }), 'transient');
    expect(await sees()).to.equal(false);
    await marked(4);
    await workBy(stores, () => ({ serial: 4, isInformed: true })).ofRegion();
    expect(await sees()).to.equal(true);
  });
});
