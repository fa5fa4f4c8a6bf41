/** Signing in at a provider in the shape of Pro Santé Connect, by each way to prove who Passerelle is. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { exportJWK, generateKeyPair } from 'jose';
import { Browser, formOf } from '../../../../fixtures/browser.ts';
import {
  readAuthentication,
  type ProviderAuthentication,
} from '../../../../server/clients/identity-provider/authentication.ts';
import { createIdentityProvider } from '../../../../server/clients/identity-provider/identity-provider.ts';
import { parseIdentityProvider } from '../../../../server/clients/identity-provider/settings.ts';
import type { VouchedIdentity } from '../../../../server/ports/identity-provider.ts';
import { expectFault } from '../../../support/faults.ts';
import {
  startProSanteConnect,
  type Deviation,
  type ProSanteConnect,
} from '../../../support/peers/pro-sante-connect.ts';

const CALLBACK = 'http://127.0.0.1:9/auth/signed-in';
const HOLDERS = [{ sub: 'a', nationalId: '899700990031' }];
const SYSTEM = 'urn:oid:1.2.250.1.71.4.2.1';

function entryOf({ issuer, discovery, clientId }: ProSanteConnect, changes: object = {}) {
  return {
    issuer,
    discovery,
    client_id: clientId,
    scope: 'openid scope_all',
    requiredAcr: ['eidas1'],
    userinfo: true,
    identifierClaims: [{ claim: 'SubjectNameID', system: SYSTEM, kinds: ['practitioner'] }],
    ...changes,
  };
}

/** Signs somebody in as a browser does. */
async function signIn(
  peer: ProSanteConnect,
  authentication: ProviderAuthentication,
  changes: object = {},
): Promise<VouchedIdentity> {
  const settings = parseIdentityProvider(entryOf(peer, changes), authentication);
  const provider = createIdentityProvider(settings, { now: () => Date.now() });
  const codeVerifier = randomUUID() + randomUUID();
  const request = { redirectUri: CALLBACK, state: randomUUID(), nonce: randomUUID(), codeVerifier };
  const whole = { ...request, maxAgeSeconds: 600, fresh: false };
  const browser = new Browser();
  const form = formOf(await browser.open(await provider.begin(whole))) ?? expect.fail('There is no sign-in page');
  const fields = new URLSearchParams({ login: 'a', acr: 'eidas1' });
  const answer = await browser.submit({ ...form, fields }, (url) => url.href.startsWith(CALLBACK));
  return await provider.complete(whole, answer.url.searchParams);
}

describe('Signing in at a provider of the region', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-provider-'));
  });
  after(async () => await rm(folder, { recursive: true, force: true }));

  async function fileOf(text: string): Promise<string> {
    const name = randomUUID();
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return name;
  }

  async function keyFile(alg: string): Promise<{ readonly name: string; readonly jwk: object }> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const also = { alg, kid: randomUUID() };
    const name = await fileOf(JSON.stringify({ ...(await exportJWK(privateKey)), ...also }));
    return { name, jwk: { ...(await exportJWK(publicKey)), ...also, use: 'sig' } };
  }

  it('proves who it is by a secret, in the header or in the form, and by a key of either kind', async () => {
    const identity = { identifiers: [{ kind: 'practitioner', system: SYSTEM, value: '899700990031' }], acr: 'eidas1' };
    for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
      await using peer = await startProSanteConnect(CALLBACK, HOLDERS, {
        client: { token_endpoint_auth_method: method },
      });
      const entry = { issuer: peer.issuer, client_secret_file: await fileOf(`${peer.secret}\n`) };
      const authentication = await readAuthentication({ ...entry, token_endpoint_auth_method: method }, folder);
      expect(await signIn(peer, authentication), method).to.deep.include(identity);
    }
    for (const alg of ['ES256', 'RS256', 'PS256']) {
      const { name, jwk } = await keyFile(alg);
      const client = { token_endpoint_auth_method: 'private_key_jwt', client_secret: undefined, jwks: { keys: [jwk] } };
      await using peer = await startProSanteConnect(CALLBACK, HOLDERS, { client } as Deviation);
      const authentication = await readAuthentication({ issuer: peer.issuer, private_key_file: name }, folder);
      expect(await signIn(peer, authentication), alg).to.deep.include(identity);
    }
  });

  it('refuses an id_token that the keys of the provider did not sign (OpenID Connect Core 3.1.3.7)', async () => {
    for (const deviation of [{ isBadlySigned: true }, { client: { id_token_signed_response_alg: 'HS256' } }] as const) {
      await using peer = await startProSanteConnect(CALLBACK, HOLDERS, deviation);
      await expectFault(signIn(peer, { method: 'client_secret_basic', secret: peer.secret }), 'login');
    }
  });

  it('asks at the UserInfo endpoint only where the region file says so', async () => {
    await using peer = await startProSanteConnect(CALLBACK, HOLDERS);
    const authentication = { method: 'client_secret_basic', secret: peer.secret } as const;
    await expectFault(signIn(peer, authentication, { userinfo: false }), 'login');
    expect(peer.asked.join()).to.not.include('userinfo');
    await signIn(peer, authentication);
    expect(peer.asked.join()).to.include('userinfo');
  });

  it('tells before anybody signs in what the provider does not offer', async () => {
    await using peer = await startProSanteConnect(CALLBACK, HOLDERS);
    const check = async (changes: object, authentication: ProviderAuthentication): Promise<readonly string[]> =>
      await createIdentityProvider(parseIdentityProvider(entryOf(peer, changes), authentication), {
        now: () => Date.now(),
      }).check();
    const secret = { method: 'client_secret_basic', secret: 's' } as const;
    expect(await check({}, secret)).to.deep.equal([]);
    expect(await check({ requiredAcr: ['eidas3'], scope: 'openid scope_none' }, secret)).to.deep.equal([
      'it never states eidas3',
      'it has no scope scope_none',
    ]);
    await expectFault(check({ issuer: `${peer.issuer}/other` }, secret), 'transient');
    await expectFault(check({ discovery: undefined }, secret), 'transient');
  });

  it('reads no secret or key that does not hold, and says which, without its value', async () => {
    const { jwk: publicKey } = await keyFile('ES256');
    const symmetric = { kty: 'oct', k: 'aHVzaC03NzMx', d: 'aHVzaC03NzMx', alg: 'HS256' };
    const bad: readonly (readonly [object, RegExp])[] = [
      [{}, /either client_secret_file or private_key_file/],
      [{ client_secret_file: 'a', private_key_file: 'b' }, /either/],
      [{ client_secret_file: 'missing' }, /client_secret_file .*missing cannot be read/],
      [{ client_secret_file: await fileOf('\n') }, /is empty/],
      [{ client_secret_file: await fileOf('hush-7731\nhush-7731\n') }, /one line/],
      [{ client_secret: 'hush-7731' }, /client_secret does not belong in the region file/],
      [{ private_key_file: await fileOf('hush-7731') }, /private, asymmetric/],
      [{ private_key_file: await fileOf(JSON.stringify(publicKey)) }, /private, asymmetric/],
      [{ private_key_file: await fileOf(JSON.stringify(symmetric)) }, /private, asymmetric/],
      [{ private_key_file: await fileOf(JSON.stringify({ ...publicKey, d: 'x' })) }, /fits its alg/],
      [{ client_secret_file: 'a', token_endpoint_auth_method: 'private_key_jwt' }, /suit the file/],
      [{ client_secret_file: 'a', token_endpoint_auth_method: 'tls_client_auth' }, /token_endpoint_auth_method/],
    ];
    for (const [members, why] of bad) {
      const fault = await expectFault(
        readAuthentication({ issuer: 'https://idp.example', ...members }, folder),
        'invalid',
      );
      expect(fault.message)
        .to.match(why)
        .and.match(/^identityProviders: https:\/\/idp\.example: /);
      expect(fault.message).to.not.include('hush-7731');
    }
  });
});
