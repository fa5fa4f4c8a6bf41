import { expect } from 'chai';
import type { Document } from 'mongodb';
import { principal } from '../../../../server/access/right.ts';
import type { MongoStores } from '../../../../server/stores/mongodb/open.ts';
import { expectFault } from '../../../support/faults.ts';
import { aGrant, anAudit, anInstance, aPersonKey, aPlan, aPut, aRight, aUid, SYSTEM } from '../../../support/plans.ts';
import { usePeer } from './peer.ts';
import { commitPlan } from '../../../support/warrants.ts';

/** Sends of one commit before its result is given up as unknown: three, each of which the driver repeats once. */
const GIVEN_UP = 6;

describe('commits on MongoDB whose result is unknown', function () {
  this.timeout(30_000);
  const peer = usePeer();
  let stores: MongoStores;
  let uri: string;

  before(async () => {
    uri = peer.freshUri();
    stores = await peer.open(uri);
  });

  const closed: Document = { failCommands: ['commitTransaction'], closeConnection: true };
  // The server commits and then cannot say that a majority has it.
  const unacknowledged: Document = {
    failCommands: ['commitTransaction'],
    writeConcernError: { code: 64, errmsg: 'waiting' },
  };

  const cases = [
    ['the connection is closed once', closed, 1],
    ['the connection is closed twice', closed, 2],
    ['the connection is closed until the commit is given up', closed, GIVEN_UP],
    ['the connection is closed beyond that', closed, GIVEN_UP + 3],
    ['the majority does not answer once', unacknowledged, 1],
    ['the majority does not answer until the commit is given up', unacknowledged, GIVEN_UP],
  ] as const;

  for (const [name, data, times] of cases) {
    it(`are applied once when ${name}`, async () => {
      const person = aPersonKey();
      const put = aPut({ person });
      const instance = anInstance({ person, studyInstanceUID: aUid() });
      const absent = { kind: 'absent', type: put.type, id: put.id } as const;
      const plan = aPlan({ preconditions: [absent], puts: [put], instances: [instance], rights: [aRight({ person })] });
      const receipt = await peer.failing(times, data, async () => await commitPlan(stores.records, plan));
      // The row that gives the right is put, too.
      expect(receipt).to.deep.include({ versions: [1, 1], instances: ['stored'] });
      expect(await commitPlan(stores.records, plan)).to.deep.equal(receipt);
      expect((await stores.records.peek(SYSTEM, { kind: 'resource', type: put.type, id: put.id }))?.version).to.equal(
        1,
      );
    });
  }

  it('are transient when nobody can say, and the plan may be sent again', async () => {
    const put = aPut();
    const plan = aPlan({ puts: [put] });
    await peer.failing(10_000, closed, async () => {
      await expectFault(commitPlan(stores.records, plan), 'transient');
    });
    expect((await commitPlan(stores.records, plan)).versions).to.deep.equal([1]);
  });

  it('of a read leave one event, and no answer without one', async () => {
    const person = aPersonKey();
    const holder = principal.practitioner(`Practitioner/${person}`);
    const put = aPut({ person });
    await commitPlan(stores.records, aPlan({ puts: [put], rights: [aRight({ person, principal: holder })] }));
    const question = { kind: 'resource', type: put.type, id: put.id } as const;
    const [seen, unheard] = [anAudit(), anAudit()];
    const events = (await peer.client(uri)).db().collection<{ _id: string }>('audit_events');

    const { answer } = await peer.failing(
      2,
      closed,
      async () => await stores.records.look(aGrant(`Practitioner/${person}`), question, () => [seen]),
    );
    expect(answer?.id).to.equal(put.id);
    expect(await events.countDocuments({ _id: seen.event.id })).to.equal(1);

    await peer.failing(10_000, closed, async () => {
      await expectFault(
        stores.records.look(aGrant(`Practitioner/${person}`), question, () => [unheard]),
        'transient',
      );
    });
    expect(await events.countDocuments({ _id: unheard.event.id })).to.equal(0);
  });

  it('are told from statements that the server asks to repeat', async () => {
    const put = aPut();
    const steppedDown = { failCommands: ['update', 'insert'], errorCode: 10107 };
    const receipt = await peer.failing(
      2,
      steppedDown,
      async () => await commitPlan(stores.records, aPlan({ puts: [put] })),
    );
    expect(receipt.versions).to.deep.equal([1]);
  });
});
