/** A database of a server that kept tries for a number under a plain digest. */
import { expectTries, keepTries } from '../former-tries.ts';
import { usePeer } from './peer.ts';

/** The version of the schema before. */
const BEFORE = 10;

describe('Tries of presence codes of an earlier server (MongoDB)', function () {
  this.timeout(60_000);
  const peer = usePeer();

  it('are forgotten when the database is opened, and no other claim is', async () => {
    const uri = peer.freshUri();
    const { records } = await peer.open(uri);
    await keepTries(records);
    await expectTries(records, true);
    const meta = (await peer.client(uri)).db().collection<{ _id: string }>('meta');
    await meta.updateOne({ _id: 'schema' }, { $set: { version: BEFORE } });
    await expectTries((await peer.open(uri)).records, false);
  });
});
