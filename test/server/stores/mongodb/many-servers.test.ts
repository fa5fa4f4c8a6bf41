import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { Fault } from '../../../../profiles/fault.ts';
import { collectionsOf } from '../../../../server/stores/mongodb/collections.ts';
import { takeLease } from '../../../../server/stores/mongodb/audit/lease.ts';
import type { MongoStores } from '../../../../server/stores/mongodb/open.ts';
import { SEALER_LEASE, sealNext } from '../../../../server/stores/mongodb/audit/sealer.ts';
import { errorOf } from '../../../support/faults.ts';
import { aGrant, anAudit, anId, aPersonKey, aPlan, aPut, aRight, SYSTEM } from '../../../support/plans.ts';
import { read } from '../../../support/reads.ts';
import { usePeer } from './peer.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';

describe('several servers on one MongoDB', function () {
  this.timeout(60_000);
  const peer = usePeer();
  let uri: string;
  let one: MongoStores;
  let other: MongoStores;

  before(async () => {
    uri = peer.freshUri();
    one = await peer.open(uri);
    other = await peer.open(uri);
  });

  it('give writes of one person a version each', async () => {
    const put = aPut({ person: aPersonKey() });
    const commits = Array.from(
      { length: 30 },
      async (_, at) => await commitPlan((at % 2 === 0 ? one : other).records, aPlan({ puts: [put] })),
    );
    const versions = (await Promise.all(commits)).flatMap((receipt) => receipt.versions);
    expect(versions.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 30 }, (_, at) => at + 1));
  });

  it('answer one receipt to a plan that both are sent', async () => {
    const plan = aPlan({ puts: [aPut({ person: aPersonKey() })], audit: [anAudit()] });
    const receipts = await Promise.all([commitPlan(one.records, plan), commitPlan(other.records, plan)]);
    expect(receipts[0]).to.deep.equal(receipts[1]);
  });

  it('let no two writes pass that each read what the other writes', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [left, right] = [aPut({ person: aPersonKey() }), aPut({ person: aPersonKey() })];
      await commitPlan(one.records, aPlan({ puts: [left, right] }));
      const first = (row: typeof left) => ({ kind: 'version', type: row.type, id: row.id, version: 1 }) as const;
      const results = await Promise.all([
        errorOf(commitPlan(one.records, aPlan({ preconditions: [first(right)], puts: [left] }))),
        errorOf(commitPlan(other.records, aPlan({ preconditions: [first(left)], puts: [right] }))),
      ]);
      const refused = results.filter((result) => result !== undefined);
      expect(refused.length).to.equal(1);
      expect((refused[0] as Fault).kind).to.equal('version-conflict');
    }
  });

  it('let no two writes pass that each need the other row absent', async () => {
    const [left, right] = [aPut(), aPut()];
    const absent = (row: typeof left) => ({ kind: 'absent', type: row.type, id: row.id }) as const;
    const results = await Promise.all([
      errorOf(commitPlan(one.records, aPlan({ preconditions: [absent(right)], puts: [left] }))),
      errorOf(commitPlan(other.records, aPlan({ preconditions: [absent(left)], puts: [right] }))),
    ]);
    expect(results.filter((result) => result !== undefined).length).to.equal(1);
  });

  it('show a new row to a right that another server gives at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const person = aPersonKey();
      const put = aPut({ person });
      await Promise.all([
        commitPlan(one.records, aPlan({ puts: [put] })),
        commitPlan(other.records, aPlan({ rights: [aRight({ person })] })),
      ]);
      expect(await read(one.records, aGrant('Practitioner/lambert'), put)).not.to.equal(undefined);
    }
  });

  it('hold a withdrawal that one of them takes at the next read of the other', async () => {
    for (let round = 0; round < 10; round += 1) {
      const person = aPersonKey();
      const put = aPut({ person });
      await commitPlan(one.records, aPlan({ puts: [put], rights: [aRight({ person })] }));
      const grant = aGrant('Practitioner/lambert');
      const question = { kind: 'resource', type: put.type, id: put.id } as const;
      const { answer, passage } = await other.records.look(grant, question, () => [anAudit()]);
      expect(answer?.id).to.equal(put.id);
      await commitPlan(one.records, aPlan({ states: [{ person, change: { withdrawn: true } }] }));
      expect(await read(other.records, grant, put)).to.equal(undefined);
      expect(await other.records.follow(passage, question, grant.now)).to.equal(undefined);
    }
  });

  it('seal what both record into one chain, each event once', async () => {
    const records = Array.from({ length: 60 }, () => anAudit());
    const before = await one.trail.head();
    await Promise.all(records.map(async (record, at) => await (at % 2 === 0 ? one : other).trail.record([record])));
    await Promise.all([one.trail.head(), other.trail.head()]);
    const head = await other.trail.head();
    expect(head.sequence).to.equal(before.sequence + records.length);
    expect(await one.trail.verify()).to.deep.equal({ whole: true, head, begins: 1, erased: 0, unexplained: 0 });
    await one.trail.record(records.slice(0, 3));
    expect(await other.trail.head()).to.deep.equal(head);
  });

  it('let one of them at a time do what whoever seals is to do', async () => {
    const quiet = peer.freshUri();
    const [left, right] = [await peer.open(quiet), await peer.open(quiet)];
    const during = await left.trail.whileSealing(async () => await right.trail.whileSealing(async () => 'both'));
    expect(during).to.equal(undefined);
    expect(await left.trail.whileSealing(async () => 'again')).to.equal('again');
  });

  it('seal nothing under the token of a holder who lost the lease', async () => {
    const idle = await aDatabaseWithoutSealer();
    const late = await takeLease(idle.leases, SEALER_LEASE, 'late', 1);
    await pause(20);
    const next = await takeLease(idle.leases, SEALER_LEASE, 'next', 60_000);
    expect(late).to.be.a('number');
    expect(next).to.be.greaterThan(late ?? Infinity);
    expect(await takeLease(idle.leases, SEALER_LEASE, 'late', 60_000)).to.equal(undefined);
    expect(await sealNext(idle, late ?? 0)).to.equal(undefined);
    expect(await idle.audit.countDocuments({ pending: true })).to.equal(1);
    expect(await sealNext(idle, next ?? 0)).to.equal(1);
    expect(await idle.chain.countDocuments()).to.equal(1);
  });

  it('show an event to its patient before and after it is sealed', async () => {
    const id = anId();
    await one.trail.record([anAudit([aPersonKey()], id)]);
    const question = { kind: 'resource', type: 'AuditEvent', id } as const;
    const fresh = await other.records.peek(SYSTEM, question);
    await one.trail.head();
    const sealed = await other.records.peek(SYSTEM, question);
    const missing = (): never => expect.fail('The event is not found');
    expect(openedResource(sealed ?? missing())).to.deep.equal(openedResource(fresh ?? missing()));
  });

  /** A database with one event that waits, in which no server seals. */
  async function aDatabaseWithoutSealer(): Promise<ReturnType<typeof collectionsOf>> {
    const empty = peer.freshUri();
    const stores = await peer.open(empty);
    await stores.close();
    const client = await peer.client(empty);
    const collections = collectionsOf(client, client.db());
    await collections.audit.insertOne({
      _id: 'waiting',
      type: 'AuditEvent',
      id: 'waiting',
      sort: 1,
      updated: 1,
      persons: [],
      pending: true,
      event: JSON.stringify(anAudit([], 'waiting').event),
      tok: [],
      ref: [],
      dates: [],
      str: [],
      tri: [],
    });
    return collections;
  }
});
