import { execFile } from 'node:child_process';
import { expect } from 'chai';
import * as openid from 'openid-client';
import { Browser, formOf } from '../../../../fixtures/browser.ts';
import { DEMO_APP } from '../../../../fixtures/sign-in.ts';
import { bearerOf } from '../../../support/clients/oauth.ts';
import { startSmartServer } from '../../../support/smart-server.ts';
import type { SmartServer } from '../../../support/smart-server.ts';

describe('Discovery (SMART App Launch 2.2, Conformance) and foreign clients', () => {
  let server: SmartServer;
  before(async () => {
    server = await startSmartServer();
  });
  after(async () => await server[Symbol.asyncDispose]());

  it('serves smart-configuration as JSON to any origin and any Accept', async () => {
    const response = await fetch(`${server.url}/fhir/.well-known/smart-configuration`, {
      headers: { accept: 'text/html', origin: 'https://any.example' },
    });
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.match(/^application\/json/);
    expect(response.headers.get('access-control-allow-origin')).to.equal('*');
  });

  it('names only endpoints that exist, alike in both documents', async () => {
    const read = async (path: string) => (await (await fetch(server.url + path)).json()) as Record<string, string>;
    const smart = await read('/fhir/.well-known/smart-configuration');
    const oidc = await read('/auth/.well-known/openid-configuration');
    for (const name of [
      'issuer',
      'jwks_uri',
      'authorization_endpoint',
      'token_endpoint',
      'introspection_endpoint',
      'revocation_endpoint',
    ]) {
      expect(smart[name], name).to.equal(oidc[name]);
    }
    expect(oidc['id_token_signing_alg_values_supported']).to.include('RS256');
    for (const name of ['token_endpoint', 'introspection_endpoint', 'revocation_endpoint']) {
      const response = await fetch(smart[name] ?? '', { method: 'POST', body: new URLSearchParams() });
      expect(response.status, name).to.be.oneOf([400, 401]);
    }
  });

  it('A31 lets scripts of registered origins speak to the token endpoint, others not', async () => {
    const ask = async (origin: string) => {
      const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: 'test-web-app', code: 'x' });
      return await fetch(`${server.url}/auth/token`, { method: 'POST', headers: { origin }, body });
    };
    expect((await ask('https://app.example')).headers.get('access-control-allow-origin')).to.equal(
      'https://app.example',
    );
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).to.equal(null);
    expect((await ask('null')).headers.get('access-control-allow-origin')).to.equal(null);
  });

  it('serves openid-client as a foreign client: discovery, code, id_token, refresh, revocation', async () => {
    const options = { execute: [openid.allowInsecureRequests] };
    const config = await openid.discovery(new URL(`${server.url}/auth`), 'demo-app', undefined, openid.None(), options);
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: DEMO_APP.redirectUri,
      scope: 'openid fhirUser offline_access patient/*.rs',
      state: expectedState,
      nonce: expectedNonce,
      aud: `${server.url}/fhir`,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      max_age: '3600',
    });
    const callback = await walk(url);
    const tokens = await openid.authorizationCodeGrant(config, callback, {
      pkceCodeVerifier,
      expectedState,
      expectedNonce,
      maxAge: 3600,
    });
    expect(tokens.claims()).to.include({
      sub: 'Patient/demo-patient',
      fhirUser: `${server.url}/fhir/Patient/demo-patient`,
    });
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(await server.authenticate(bearerOf(renewed.access_token))).to.include({ account: 'Patient/demo-patient' });
    await openid.tokenRevocation(config, renewed.access_token);
    expect(await server.authenticate(bearerOf(renewed.access_token)).catch((error: unknown) => error)).to.include({
      kind: 'login',
    });
  });

  it('prints one token by npm run token, and a readable line when it fails', async () => {
    const person = await runToken(['--url', server.url, '--as', 'demo-patient']);
    expect(person.stdout).to.match(/^[\w-]{43,}\n$/);
    expect(await server.authenticate(bearerOf(person.stdout.trim()))).to.include({ account: 'Patient/demo-patient' });
    const backend = await runToken(['--url', server.url, 'demo-establishment']);
    expect(await server.authenticate(bearerOf(backend.stdout.trim()))).to.include({ clientId: 'demo-establishment' });
    const unknown = await runToken(['--url', server.url, '--as', 'nobody']);
    expect(unknown).to.include({ code: 1, stdout: '' });
    expect(unknown.stderr).to.match(/^Sign-in stopped \(400\).*\n$/);
  });
});

async function walk(start: URL): Promise<URL> {
  const browser = new Browser();
  const isCallback = (url: URL) => url.href.startsWith(DEMO_APP.redirectUri);
  const login = formOf(await browser.open(start));
  login?.fields.set('login', 'demo-patient');
  const consent = login === undefined ? undefined : formOf(await browser.submit(login));
  consent?.fields.set('decision', 'allow');
  if (consent === undefined) throw new Error('no consent page');
  return (await browser.submit(consent, isCallback)).url;
}

async function runToken(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return await new Promise((resolve) => {
    execFile(process.execPath, ['fixtures/token.ts', ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
