import { createPublicKey } from 'node:crypto';
import { expect } from 'chai';
import { exportJWK, generateKeyPair } from 'jose';
import { clientToken, demonstrationKey, signInFully } from '../../../../fixtures/sign-in.ts';
import { assertion, BACKEND, bearerOf, clientCredentials, introspect, postAs } from '../../../support/clients/oauth.ts';
import { startSmartServer } from '../../../support/smart-server.ts';
import type { SmartServer } from '../../../support/smart-server.ts';

const now = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('SMART Backend Services (SMART App Launch 2.2; RFC 7523)', () => {
  let server: SmartServer;
  before(async () => {
    server = await startSmartServer();
  });
  after(async () => await server[Symbol.asyncDispose]());

  const expectRefused = async (clientAssertion: string) => {
    const response = await clientCredentials(server, clientAssertion);
    expect(response.status).to.equal(401);
    expect(await response.json()).to.include({ error: 'invalid_client' });
    expect(server.events.at(-1)).to.include({ subject: 'client', outcome: 'failure' });
  };
  const forged = async (header: object, signature = '') => {
    const [, payload] = (await assertion(server)).split('.');
    return `${encode(header)}.${payload}.${signature}`;
  };

  it('gives a token of 300 seconds for the establishment, and records it', async () => {
    const response = await clientCredentials(server, await assertion(server));
    expect(response.status).to.equal(200);
    expect(response.headers.get('cache-control')).to.equal('no-store');
    const answer = (await response.json()) as { access_token: string };
    expect(answer).to.include({ token_type: 'Bearer', expires_in: 300, scope: 'system/*.rs' });
    expect(answer).to.not.have.property('refresh_token');
    const facts = await server.authenticate(bearerOf(answer.access_token));
    expect(facts).to.deep.include({
      clientId: BACKEND,
      organization: 'Organization/demo-strasbourg',
      scopes: ['system/*.rs'],
    });
    expect(facts).to.not.have.property('account');
    expect(server.events.at(-1)).to.include({ subject: 'client', outcome: 'success', clientId: BACKEND });
  });

  it('accepts the issuer as audience', async () => {
    const response = await clientCredentials(
      server,
      await assertion(server, { claims: { aud: `${server.url}/auth` } }),
    );
    expect(response.status).to.equal(200);
  });

  it('refuses scopes of persons and malformed ones', async () => {
    for (const scope of ['patient/*.rs', 'user/*.rs', 'system/*.sr', 'system/Nope.rs', 'openid', '']) {
      const response = await clientCredentials(server, await assertion(server), scope);
      expect(response.status, scope).to.equal(400);
      expect(await response.json()).to.include({ error: 'invalid_scope' });
    }
  });

  it('B01 refuses alg none', async () => {
    await expectRefused(await forged({ alg: 'none', typ: 'JWT' }));
  });

  it('B02 refuses HS256 keyed with the public key', async () => {
    const { d: _private, ...publicJwk } = await demonstrationKey(BACKEND);
    const pem = createPublicKey({ key: publicJwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    await expectRefused(
      await assertion(server, { header: { alg: 'HS256' }, key: new TextEncoder().encode(String(pem)) }),
    );
  });

  it('B03 refuses another key under the same kid', async () => {
    const { privateKey } = await generateKeyPair('ES384');
    await expectRefused(await assertion(server, { key: privateKey }));
  });

  it('B04 refuses an odd kid', async () => {
    for (const kid of ['../../x', "' OR 1=1 --", 'k'.repeat(10_000)]) {
      await expectRefused(await assertion(server, { header: { kid } }));
    }
  });

  it('B05 and B06 refuse keys that the header brings, and fetch nothing', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES384', { extractable: true });
    const jwk = await exportJWK(publicKey);
    for (const header of [
      { jku: 'http://127.0.0.1:9/jwks' },
      { x5u: 'http://127.0.0.1:9/x' },
      { jwk },
      { x5c: ['AA=='] },
    ]) {
      await expectRefused(await assertion(server, { header }));
      await expectRefused(await assertion(server, { header, key: privateKey }));
    }
  });

  it('B07 refuses exp in the past, missing, or more than 5 minutes ahead', async () => {
    for (const exp of [now() - 60, undefined, now() + 360])
      await expectRefused(await assertion(server, { claims: { exp } }));
  });

  it('B08 refuses another audience', async () => {
    for (const aud of ['https://other.example/auth/token', `${server.url}/fhir`, undefined, []]) {
      await expectRefused(await assertion(server, { claims: { aud } }));
    }
  });

  it('B09 refuses an assertion used before, and lets one of racing uses through', async () => {
    const used = await assertion(server);
    expect((await clientCredentials(server, used)).status).to.equal(200);
    await expectRefused(used);
    const raced = await assertion(server);
    const statuses = await Promise.all(
      Array.from({ length: 10 }, async () => (await clientCredentials(server, raced)).status),
    );
    expect(statuses.filter((status) => status === 200)).to.have.length(1);
  });

  it('B09 refuses an assertion without jti, or with a huge one', async () => {
    await expectRefused(await assertion(server, { claims: { jti: undefined } }));
    await expectRefused(await assertion(server, { claims: { jti: 'j'.repeat(300) } }));
  });

  it('B10 refuses iss that differs from sub, and an unknown client', async () => {
    await expectRefused(await assertion(server, { claims: { iss: 'demo-radiology-centre' } }));
    await expectRefused(await assertion(server, { claims: { sub: 'demo-radiology-centre' } }));
    await expectRefused(await assertion(server, { claims: { iss: 'nobody', sub: 'nobody' } }));
  });

  it('B11 refuses RS256 and ES256', async () => {
    for (const alg of ['RS256', 'ES256']) {
      const { privateKey } = await generateKeyPair(alg);
      await expectRefused(await assertion(server, { header: { alg }, key: privateKey }));
    }
  });

  it('B12 and B18 refuse an id_token and other structured texts as access token', async () => {
    const { id_token: idToken } = await signInFully({ url: server.url, person: 'demo-patient' });
    for (const token of [String(idToken), 'a.b.c.d.e', 'x'.repeat(43), 'x'.repeat(9000), '']) {
      const refusal = await server.authenticate(bearerOf(token)).catch((error: unknown) => error);
      expect(refusal).to.include({ kind: 'login', protocolCode: 'invalid_token' });
    }
    const none = await server.authenticate(undefined).catch((error: unknown) => error);
    expect(none).to.include({ kind: 'login', protocolCode: undefined });
  });

  it('B15 refuses an unknown crit header', async () => {
    await expectRefused(await forged({ alg: 'ES384', typ: 'JWT', crit: ['x'], x: 1 }, 'A'.repeat(128)));
  });

  it('B17 refuses the signature of zeros', async () => {
    const { kid } = await demonstrationKey(BACKEND);
    await expectRefused(await forged({ alg: 'ES384', typ: 'JWT', kid }, Buffer.alloc(96).toString('base64url')));
  });

  it('answers garbage in place of an assertion without failing', async () => {
    for (const garbage of ['', 'x', 'a.b.c', `${encode({})}.${encode([])}.x`, '{'.repeat(5000)]) {
      expect((await clientCredentials(server, garbage)).status).to.be.oneOf([400, 401]);
    }
  });

  it('A29 revokes a token at once, of its own client only', async () => {
    const token = await clientToken({ url: server.url, client: BACKEND });
    const foreign = await clientToken({ url: server.url, client: 'demo-radiology-centre' });
    expect((await postAs(server, '/token/revocation', await assertion(server), { token })).status).to.equal(200);
    await postAs(server, '/token/revocation', await assertion(server), { token: foreign });
    expect(await server.authenticate(bearerOf(token)).catch((error: unknown) => error)).to.include({ kind: 'login' });
    expect(await server.authenticate(bearerOf(foreign))).to.include({ clientId: 'demo-radiology-centre' });
  });

  it('A30 introspects for authenticated clients only', async () => {
    const answer = await signInFully({ url: server.url, person: 'demo-patient' });
    expect(await introspect(server, answer.access_token)).to.include({
      active: true,
      client_id: 'demo-app',
      sub: 'Patient/demo-patient',
      patient: 'demo-patient',
      iss: `${server.url}/auth`,
    });
    expect(await introspect(server, 'unknown')).to.deep.equal({ active: false });
    for (const fields of [{ token: answer.access_token }, { token: answer.access_token, client_id: 'demo-app' }]) {
      const body = new URLSearchParams(fields);
      const response = await fetch(`${server.url}/auth/token/introspection`, { method: 'POST', body });
      expect(response.status).to.equal(401);
      expect(await response.json()).to.not.have.property('active');
    }
  });
});

describe('Token endpoint when things go wrong', () => {
  it('gives no token to a backend client that cannot be recorded', async () => {
    const onSignIn = async () => {
      throw new Error('trail is full');
    };
    await using server = await startSmartServer({ onSignIn, onError: () => undefined });
    const response = await clientCredentials(server, await assertion(server));
    expect(response.status).to.equal(503);
    expect(await response.json()).to.deep.equal({ error: 'temporarily_unavailable' });
  });

  it('stops an address that keeps failing, and lets it on after a minute', async () => {
    await using server = await startSmartServer();
    const body = () => new URLSearchParams({ grant_type: 'client_credentials', client_id: 'nobody' });
    const attempt = async () => (await fetch(`${server.url}/auth/token`, { method: 'POST', body: body() })).status;
    for (let count = 0; count < 120; count += 1) expect(await attempt()).to.equal(401);
    const refused = await fetch(`${server.url}/auth/token`, { method: 'POST', body: body() });
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    server.advance(60);
    expect(await attempt()).to.equal(401);
  });
});
