/** A database of a server that showed preliminary reports to declared correspondents. */
import { expect } from 'chai';
import type { AclDocument } from '../../../../server/stores/mongodb/documents.ts';
import { openMongoStores } from '../../../../server/stores/mongodb/open.ts';
import { expectFault } from '../../../support/faults.ts';
import { expectHidden, HOLDER, isShownPreliminary, keepReports, PRELIMINARY, RIGHT } from '../former-reports.ts';
import { usePeer } from './peer.ts';

/** The version of the schema before. */
const BEFORE = 8;

describe('Preliminary reports of an earlier server (MongoDB)', function () {
  this.timeout(60_000);
  const peer = usePeer();

  it('are hidden from the moment on in which the database is opened, and nothing else is', async () => {
    const uri = peer.freshUri();
    const { records } = await peer.open(uri);
    await keepReports(records);
    const db = (await peer.client(uri)).db();
    const { type, id, sort } = PRELIMINARY;
    const item = `${type}/${id}`;
    const shown = { principal: HOLDER, type, sort, id, item, rightId: RIGHT.id, from: 0, to: RIGHT.to };
    const access: AclDocument = { _id: `${RIGHT.id} ${item}`, ...shown, relation: 'declared' };
    await db.collection<AclDocument>('acl').insertOne(access);
    expect(await isShownPreliminary(records)).to.deep.equal([true, true, true]);
    await db.collection<{ _id: string }>('meta').updateOne({ _id: 'schema' }, { $set: { version: BEFORE } });
    await expectHidden((await peer.open(uri)).records);
  });

  it('are shown by no earlier server any more: it refuses the database in one line', async () => {
    const uri = peer.freshUri();
    await peer.open(uri);
    const meta = (await peer.client(uri)).db().collection<{ _id: string; version: number }>('meta');
    const version = (await meta.findOne({ _id: 'schema' }))?.version ?? 0;
    expect(version).to.be.greaterThan(BEFORE);
    await meta.updateOne({ _id: 'schema' }, { $inc: { version: 1 } });
    const fault = await expectFault(openMongoStores({ uri }), 'not-supported');
    expect(fault.message).to.equal(
      `The database has schema ${version + 1}; this program knows ${version}: run a newer one`,
    );
  });
});
