/** access.md R-50: who is barred by many, on MongoDB, where a question is a document of 16 MB at most. */
import { expect } from 'chai';
import { principal } from '../../../../../server/access/right.ts';
import { collectionsOf } from '../../../../../server/stores/mongodb/collections.ts';
import { barredRights } from '../../../../../server/stores/mongodb/read/bars.ts';
import { expectFault } from '../../../../support/faults.ts';
import { aGrant, aPersonKey, NOW } from '../../../../support/plans.ts';
import { usePeer } from '../peer.ts';

describe('Bars (MongoDB)', function () {
  this.timeout(60_000);
  const peer = usePeer();

  it('take all that is shut, however many batches of persons bar, up to what a question names', async () => {
    const uri = peer.freshUri();
    await peer.open(uri);
    const client = await peer.client(uri);
    const collections = collectionsOf(client, client.db());
    const holder = principal.practitioner('Practitioner/barred');
    const persons = Array.from({ length: 5 }, aPersonKey);
    const rights = persons.flatMap((person) =>
      (['declared', 'author', 'block'] as const).map((relation) => {
        const term = { from: 0, to: NOW + 1, givers: [`Consent/${person}`] };
        return { _id: `${relation}|${holder}|record|${person}`, person, principal: holder, relation, ...term };
      }),
    );
    await collections.rights.insertMany(rights);
    const bars = async (shut: number, at = NOW, who = 'Practitioner/barred'): Promise<readonly string[]> =>
      await client.withSession(
        async (session) =>
          await barredRights({ collections, session, grant: aGrant(who), now: at }, { shut, atOnce: 2 }),
      );
    const all = persons.map((person) => `declared|${holder}|record|${person}`);
    expect(await bars(5)).to.have.members(all);
    expect([await bars(5, NOW + 1), await bars(5, NOW, 'Practitioner/other')]).to.deep.equal([[], []]);
    await expectFault(bars(4), 'too-costly');
  });
});
