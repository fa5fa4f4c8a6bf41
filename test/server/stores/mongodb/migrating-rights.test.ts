/** A database of a server that named rights: they are derived from its rows. */
import { expect } from 'chai';
import { MongoServerError, type Document } from 'mongodb';
import { encodeLabel } from '../../../../profiles/confidentiality.ts';
import { itemIn } from '../../../../server/access/right.ts';
import { createCollections } from '../../../../server/stores/mongodb/migrations/001-init.ts';
import { deriveRights } from '../../../../server/stores/mongodb/migrations/005-givers.ts';
import { ACCESS, expectDerived, RIGHTS, ROWS } from '../former-rights.ts';
import { errorOf } from '../../../support/faults.ts';
import { usePeer } from './peer.ts';

type Documents = readonly (Document & { readonly _id: string })[];

const rows: Documents = ROWS.map(({ type, id, sort, person, subject, level, masks, released, resource }) => {
  const indexed = { tok: [], ref: [], dates: [], str: [], tri: [] };
  const json = JSON.stringify(resource);
  const row = {
    type,
    id,
    version: 1,
    updated: 0,
    sort,
    json,
    person,
    subject,
    level: encodeLabel({ level, masks }),
    released,
  };
  return { _id: `${type}/${id}`, ...row, ...indexed };
});
const rights: Documents = RIGHTS.map(({ id, scope, ...right }) => ({
  _id: id,
  ...right,
  ...(scope === 'record' ? {} : { item: itemIn(scope) }),
}));
const acl: Documents = ACCESS.map(({ right, put: { type, id, sort } }) => {
  const { principal, relation, source, from, to } = right;
  const [item, shown] = [`${type}/${id}`, { principal, type, sort, id, rightId: right.id, relation, from, to }];
  return { _id: `${right.id} ${item}`, ...shown, item, ...(source === undefined ? {} : { source }) };
});

describe('Rights that an earlier server named (MongoDB)', function () {
  this.timeout(60_000);
  const peer = usePeer();

  const former = async (): Promise<string> => {
    const uri = peer.freshUri();
    const db = (await peer.client(uri)).db();
    await createCollections(db);
    for (const [name, documents] of Object.entries({ rows, rights, acl }))
      await db.collection<{ _id: string }>(name).insertMany([...documents]);
    return uri;
  };

  it('are those that its rows give, show the same, and end with them', async () => {
    await expectDerived((await peer.open(await former())).records);
  });

  for (const command of ['update', 'delete']) {
    it(`are derived in the end when a server was cut short at the first ${command}`, async () => {
      const uri = await former();
      const db = (await peer.client(uri)).db();
      const illegal = { failCommands: [command], errorCode: 20, namespace: 'none' };
      await peer.failing(1, illegal, async () => {
        expect(await errorOf(deriveRights(db))).to.be.instanceOf(MongoServerError);
      });
      await expectDerived((await peer.open(uri)).records);
    });
  }
});
