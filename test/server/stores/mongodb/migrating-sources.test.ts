/** A database of a server that did not keep of whom further sources sent an instance. */
import { expect } from 'chai';
import { anInstance, aPersonKey, aPlan, aUid, SYSTEM } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { usePeer } from './peer.ts';

/** The version of the schema before. */
const BEFORE = 7;

describe('Further sources of an earlier server (MongoDB)', function () {
  this.timeout(60_000);
  const peer = usePeer();

  it('are sources still, of whoever the study is of', async () => {
    const uri = peer.freshUri();
    const { records } = await peer.open(uri);
    const [person, studyInstanceUID] = [aPersonKey(), aUid()];
    const [several, one] = [anInstance({ person, studyInstanceUID }), anInstance({ person, studyInstanceUID })];
    await commitPlan(records, aPlan({ instances: [several, one] }));
    const db = (await peer.client(uri)).db();
    const further = ['Organization/2', 'Organization/3'];
    const instances = db.collection<{ _id: string }>('instances');
    await instances.updateOne({ _id: several.sopInstanceUID }, { $set: { furtherSources: further } });
    await db.collection<{ _id: string }>('meta').updateOne({ _id: 'schema' }, { $set: { version: BEFORE } });
    const { records: present } = await peer.open(uri);
    const furtherSources = further.map((source) => ({ source }));
    expect(await present.instanceOf(SYSTEM, several.sopInstanceUID)).to.deep.include({ furtherSources });
    expect(await present.instanceOf(SYSTEM, one.sopInstanceUID)).not.to.have.property('furtherSources');
  });
});
