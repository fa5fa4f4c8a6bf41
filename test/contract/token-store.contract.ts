/** What every TokenStore adapter keeps: the promises of server/ports/token-store.ts. */
import { expect } from 'chai';
import { anId, NOW } from '../support/plans.ts';
import type { OpenStores } from '../support/stores.ts';
import { useStores } from './suite.ts';

/** Runs the contract of the token store on an adapter. */
export function tokenStoreContract(name: string, open: OpenStores): void {
  describe(`TokenStore: ${name}`, function () {
    this.timeout(30_000);
    const suite = useStores(open);
    // Years ahead, so that no adapter that removes expired tokens on its own removes these.
    const expiresAt = Math.floor(Date.now() / 1_000) + 86_400 * 365;
    const payload = {
      kind: 'Session',
      'a.b': { $set: null, list: [1, 'é𝒜', { deep: true }] },
      exp: expiresAt,
      '': 0.5,
    };

    it('finds what was stored, as it was, and nothing else', async () => {
      const id = anId();
      await suite.tokens.upsert('Session', id, { payload, expiresAt }, {});
      expect(await suite.tokens.find('Session', id)).to.deep.equal({ payload, expiresAt, consumedAt: undefined });
      expect(await suite.tokens.find('AccessToken', id)).to.equal(undefined);
      expect(await suite.tokens.find('Session', anId())).to.equal(undefined);
    });

    it('keeps tokens without an end, and the same id in two models', async () => {
      const id = anId();
      await suite.tokens.upsert('Client', id, { payload: { a: 1 }, expiresAt: undefined }, {});
      await suite.tokens.upsert('Grant', id, { payload: { a: 2 }, expiresAt }, {});
      expect(await suite.tokens.find('Client', id)).to.deep.equal({
        payload: { a: 1 },
        expiresAt: undefined,
        consumedAt: undefined,
      });
      expect((await suite.tokens.find('Grant', id))?.payload).to.deep.equal({ a: 2 });
    });

    it('replaces a token that is stored again, keys included', async () => {
      const [id, former, later] = [anId(), anId(), anId()];
      await suite.tokens.upsert('Session', id, { payload: { a: 1 }, expiresAt }, { uid: former });
      await suite.tokens.upsert('Session', id, { payload: { b: 2 }, expiresAt: expiresAt + 1 }, { uid: later });
      expect(await suite.tokens.find('Session', id)).to.deep.include({ payload: { b: 2 }, expiresAt: expiresAt + 1 });
      expect(await suite.tokens.findBy('Session', 'uid', former)).to.equal(undefined);
      expect((await suite.tokens.findBy('Session', 'uid', later))?.payload).to.deep.equal({ b: 2 });
    });

    it('tells what was given to whom, and nothing of what was given to nobody', async () => {
      const [token, session, nobodys] = [anId(), anId(), anId()];
      const given = { clientId: `client ${token}`, accountId: 'Practitioner/1' };
      await suite.tokens.upsert('AccessToken', token, { payload: { ...given, 'a.b': 1 }, expiresAt }, {});
      await suite.tokens.upsert(
        'Session',
        session,
        { payload: { accountId: `Patient/${token}`, givenAt: 7 }, expiresAt },
        {},
      );
      await suite.tokens.upsert('SignIn', nobodys, { payload: { uid: 'x' }, expiresAt: undefined }, {});
      const found = [];
      for await (const one of suite.tokens.given()) if ([token, session, nobodys].includes(one.id)) found.push(one);
      expect(found).to.have.deep.members([
        { model: 'AccessToken', id: token, clientId: given.clientId, account: 'Practitioner/1', givenAt: undefined },
        { model: 'Session', id: session, clientId: undefined, account: `Patient/${token}`, givenAt: 7 },
      ]);
    });

    it('finds by each key within its model', async () => {
      const keys = { grantId: anId(), uid: anId(), userCode: anId() };
      await suite.tokens.upsert('DeviceCode', anId(), { payload, expiresAt }, keys);
      for (const key of ['grantId', 'uid', 'userCode'] as const) {
        expect((await suite.tokens.findBy('DeviceCode', key, keys[key]))?.payload).to.deep.equal(payload);
        expect(await suite.tokens.findBy('Session', key, keys[key])).to.equal(undefined);
        expect(await suite.tokens.findBy('DeviceCode', key, anId())).to.equal(undefined);
      }
      expect(await suite.tokens.findBy('DeviceCode', 'uid', keys.grantId)).to.equal(undefined);
    });

    it('lets exactly one of racing callers consume a token', async () => {
      const id = anId();
      await suite.tokens.upsert('AuthorizationCode', id, { payload, expiresAt }, {});
      const at = Math.floor(NOW / 1_000);
      const results = await Promise.all(
        Array.from({ length: 20 }, () => suite.tokens.consume('AuthorizationCode', id, at)),
      );
      expect(results.filter((result) => result).length).to.equal(1);
      expect(await suite.tokens.consume('AuthorizationCode', id, at + 1)).to.equal(false);
      expect(await suite.tokens.find('AuthorizationCode', id)).to.deep.equal({ payload, expiresAt, consumedAt: at });
    });

    it('consumes no token that is not there', async () => {
      expect(await suite.tokens.consume('AuthorizationCode', anId(), 1)).to.equal(false);
    });

    it('removes a token, and an absent one without an error', async () => {
      const id = anId();
      await suite.tokens.upsert('Session', id, { payload, expiresAt }, {});
      await suite.tokens.destroy('Session', id);
      await suite.tokens.destroy('Session', id);
      expect(await suite.tokens.find('Session', id)).to.equal(undefined);
    });

    it('revokes all tokens of a grant in a model, and no others', async () => {
      const [grantId, other] = [anId(), anId()];
      const [first, second, kept, elsewhere] = [anId(), anId(), anId(), anId()];
      for (const id of [first, second])
        await suite.tokens.upsert('AccessToken', id, { payload, expiresAt }, { grantId });
      await suite.tokens.upsert('AccessToken', kept, { payload, expiresAt }, { grantId: other });
      await suite.tokens.upsert('RefreshToken', elsewhere, { payload, expiresAt }, { grantId });
      await suite.tokens.revokeByGrantId('AccessToken', grantId);
      expect(await suite.tokens.find('AccessToken', first)).to.equal(undefined);
      expect(await suite.tokens.find('AccessToken', second)).to.equal(undefined);
      expect(await suite.tokens.find('AccessToken', kept)).not.to.equal(undefined);
      expect(await suite.tokens.find('RefreshToken', elsewhere)).not.to.equal(undefined);
    });

    it('takes a name once until it expires', async () => {
      const name = `jti:${anId()}`;
      expect(await suite.tokens.once(name, expiresAt, expiresAt - 100)).to.equal(true);
      expect(await suite.tokens.once(name, expiresAt, expiresAt - 99)).to.equal(false);
      expect(await suite.tokens.once(name, expiresAt + 500, expiresAt - 1)).to.equal(false);
      expect(await suite.tokens.once(name, expiresAt + 500, expiresAt + 1)).to.equal(true);
      expect(await suite.tokens.once(name, expiresAt + 500, expiresAt + 2)).to.equal(false);
    });

    it('gives a name to exactly one of racing callers', async () => {
      const name = anId();
      const results = await Promise.all(
        Array.from({ length: 20 }, () => suite.tokens.once(name, expiresAt, expiresAt - 100)),
      );
      expect(results.filter((result) => result).length).to.equal(1);
    });

    it('keeps tokens, uses and names over a restart', async () => {
      const [id, name, uid] = [anId(), anId(), anId()];
      await suite.tokens.upsert('Session', id, { payload, expiresAt }, { uid });
      await suite.tokens.consume('Session', id, 7);
      await suite.tokens.once(name, expiresAt, expiresAt - 100);
      await suite.reopen();
      expect(await suite.tokens.findBy('Session', 'uid', uid)).to.deep.equal({ payload, expiresAt, consumedAt: 7 });
      expect(await suite.tokens.consume('Session', id, 8)).to.equal(false);
      expect(await suite.tokens.once(name, expiresAt, expiresAt - 99)).to.equal(false);
    });
  });
}
