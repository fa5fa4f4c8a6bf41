import { expect } from 'chai';
import { authorize, DEMO_APP, signIn, signInFully } from '../../../../fixtures/sign-in.ts';
import { bearerOf, introspect, redeem } from '../../../support/clients/oauth.ts';
import { startSmartServer } from '../../../support/smart-server.ts';
import type { SmartServer } from '../../../support/smart-server.ts';

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

describe('Authorization endpoint and authorization code (SMART App Launch 2.2; RFC 6749, 7636, 8252)', () => {
  let server: SmartServer;
  before(async () => {
    server = await startSmartServer();
  });
  after(async () => await server[Symbol.asyncDispose]());

  const parameters = (changes: Record<string, string | undefined> = {}) => {
    const all: Record<string, string | undefined> = {
      response_type: 'code',
      client_id: 'demo-app',
      redirect_uri: DEMO_APP.redirectUri,
      scope: 'openid patient/*.rs',
      state: 'some state',
      aud: `${server.url}/fhir`,
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      ...changes,
    };
    return new URLSearchParams(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  };
  const ask = async (query: URLSearchParams | string) =>
    await fetch(`${server.url}/auth/authorize?${query.toString()}`, { redirect: 'manual' });
  const errorIn = (response: Response) => {
    const location = new URL(response.headers.get('location') ?? '', server.url);
    expect(location.origin + location.pathname).to.equal(DEMO_APP.redirectUri);
    const answer = new URLSearchParams(location.search === '' ? location.hash.slice(1) : location.search);
    expect(answer.get('code')).to.equal(null);
    expect(answer.get('iss')).to.equal(`${server.url}/auth`);
    return answer.get('error');
  };
  const expectPage = async (response: Response) => {
    expect(response.status).to.equal(400);
    expect(response.headers.get('location')).to.equal(null);
    expect(response.headers.get('content-security-policy')).to.contain("frame-ancestors 'none'");
    expect(await response.text()).to.contain('<html lang="fr">');
  };

  it('A01 shows a page when the redirect_uri is not registered', async () => {
    await expectPage(await ask(parameters({ redirect_uri: 'https://evil.example/callback' })));
  });

  for (const uri of [
    'http://127.0.0.1:49152/callback/more',
    'http://127.0.0.1:49152/callback?x=1',
    'http://127.0.0.1:49152/callback#x',
    'http://127.0.0.1:49152/Callback',
    'http://localhost:49152/callback',
    'http://127.0.0.1.:49152/callback',
    'http://127.0.0.1:49152/x/../callback',
    'https://127.0.0.1:49152/callback',
    'http://u@127.0.0.1:49152/callback',
    'http://127.0.0.1:49152/callback/',
    'http://127.1:49152/callback',
    'http://127.0.0.1:49152/%63allback',
  ]) {
    it(`A02 shows a page for the redirect_uri ${uri}`, async () => {
      await expectPage(await ask(parameters({ redirect_uri: uri })));
    });
  }

  for (const uri of [
    'https://app.example:8443/callback',
    'https://APP.example/callback',
    'https://app.example./callback',
    'https://app.example/callback/',
    'https://xn--pp-yia.example/callback',
    'http://app.example/callback',
  ]) {
    it(`A02 shows a page to a web client for the redirect_uri ${uri}`, async () => {
      await expectPage(await ask(parameters({ client_id: 'test-web-app', redirect_uri: uri })));
    });
  }

  it('lets a loopback client choose its port, a web client not', async () => {
    const native = await ask(parameters({ redirect_uri: 'http://127.0.0.1:1/callback' }));
    expect(native.headers.get('location')).to.match(/\/auth\/interaction\//);
    const web = await ask(parameters({ client_id: 'test-web-app', redirect_uri: 'https://app.example/callback' }));
    expect(web.headers.get('location')).to.match(/\/auth\/interaction\//);
  });

  it('A03 shows a page for an unknown client', async () => {
    await expectPage(await ask(parameters({ client_id: 'nobody' })));
  });

  it('A04 refuses a request without code_challenge, so that A06 has no code to downgrade', async () => {
    const response = await ask(parameters({ code_challenge: undefined, code_challenge_method: undefined }));
    expect(errorIn(response)).to.equal('invalid_request');
  });

  it('A05 refuses the plain method', async () => {
    expect(errorIn(await ask(parameters({ code_challenge_method: 'plain' })))).to.equal('invalid_request');
    expect(errorIn(await ask(parameters({ code_challenge_method: undefined })))).to.equal('invalid_request');
  });

  it('A12 refuses a missing aud and the aud of another server', async () => {
    expect(errorIn(await ask(parameters({ aud: 'https://other.example/fhir' })))).to.equal('invalid_request');
    expect(errorIn(await ask(parameters({ aud: undefined })))).to.equal('invalid_request');
    expect(errorIn(await ask(parameters({ resource: 'https://other.example/fhir' })))).to.equal('invalid_target');
  });

  for (const type of ['token', 'id_token', 'none', 'code id_token']) {
    it(`A13 refuses response_type=${type}`, async () => {
      expect(errorIn(await ask(parameters({ response_type: type, nonce: 'n' })))).to.equal('unsupported_response_type');
    });
  }

  for (const name of ['client_id', 'redirect_uri', 'scope', 'state', 'aud', 'code_challenge', 'response_type']) {
    it(`A15 refuses ${name} given twice`, async () => {
      const query = parameters();
      query.append(name, query.get(name) ?? '');
      const response = await ask(query);
      if (response.status === 400) await expectPage(response);
      else expect(errorIn(response)).to.equal('invalid_request');
    });
  }

  for (const scope of ['patient/*.srad', 'patient/Nope.rs', 'system/*', 'system/*.rs', 'user/*.rs?x=1', 'profile']) {
    it(`A16 refuses the scope ${scope}`, async () => {
      expect(errorIn(await ask(parameters({ scope })))).to.equal('invalid_scope');
    });
  }

  it('takes a posted request (authorize-post) and refuses prompt=none', async () => {
    const posted = await fetch(`${server.url}/auth/authorize`, {
      method: 'POST',
      body: parameters(),
      redirect: 'manual',
    });
    expect(posted.status).to.equal(303);
    const followed = await fetch(posted.headers.get('location') ?? '', { redirect: 'manual' });
    expect(followed.headers.get('location')).to.match(/\/auth\/interaction\//);
    expect(errorIn(await ask(parameters({ prompt: 'none' })))).to.equal('login_required');
  });

  it('ignores the Host and X-Forwarded-* headers of a request (K10)', async () => {
    const response = await fetch(`${server.url}/auth/.well-known/openid-configuration`, {
      headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    });
    expect(await response.text()).to.not.contain('evil.example');
  });

  it('gives an opaque token of 30 minutes with the patient in context, kept as a digest only', async () => {
    const answer = await signInFully({
      url: server.url,
      person: 'demo-patient',
      scope: `openid fhirUser ${'patient/*.rs'}`,
    });
    expect(answer.access_token).to.match(/^[A-Za-z0-9_-]{43,}$/);
    expect(answer).to.include({
      token_type: 'Bearer',
      expires_in: 1800,
      patient: 'demo-patient',
      scope: 'openid fhirUser patient/*.rs',
    });
    expect(answer).to.not.have.property('refresh_token');
    expect(server.tokens.dump()).to.not.contain(answer.access_token);
  });

  it('tells who the token is for, with one read of the store', async () => {
    const token = await signIn({ url: server.url, person: 'demo-patient' });
    const readsBefore = server.tokens.reads;
    const facts = await server.authenticate(bearerOf(token));
    expect(server.tokens.reads - readsBefore).to.equal(1);
    expect(facts).to.include({ clientId: 'demo-app', account: 'Patient/demo-patient' });
    expect(facts.tokenId).to.not.equal(token);
    expect(facts).to.not.have.property('organization');
  });

  it('gives a professional no patient scope', async () => {
    const answer = await signInFully({
      url: server.url,
      person: 'demo-radiologist',
      scope: 'openid launch/patient patient/*.rs user/*.rs',
    });
    expect(answer.scope.split(' ')).to.have.members(['openid', 'user/*.rs']);
    expect(answer).to.not.have.property('patient');
  });

  it('A06 and A07 refuse a wrong, empty or missing verifier', async () => {
    for (const verifier of ['x'.repeat(43), '', undefined]) {
      const { code } = await authorize({ url: server.url, person: 'demo-patient' });
      const response = await redeem(server, code, verifier);
      expect(response.status).to.equal(400);
      expect(await response.json()).to.include({ error: 'invalid_grant' });
    }
  });

  it('A08 refuses a used code and revokes what it gave', async () => {
    const { code, verifier } = await authorize({
      url: server.url,
      person: 'demo-patient',
      scope: 'openid offline_access patient/*.rs',
    });
    const first = (await (await redeem(server, code, verifier)).json()) as {
      access_token: string;
      refresh_token: string;
    };
    expect(await introspect(server, first.refresh_token)).to.include({ active: true });
    const second = await redeem(server, code, verifier);
    expect(second.status).to.equal(400);
    expect(await second.json()).to.include({ error: 'invalid_grant' });
    expect(await introspect(server, first.access_token)).to.deep.equal({ active: false });
    expect(await introspect(server, first.refresh_token)).to.deep.equal({ active: false });
  });

  it('A09 refuses the code of another client', async () => {
    const { code, verifier } = await authorize({ url: server.url, person: 'demo-patient' });
    expect((await redeem(server, code, verifier, { client_id: 'test-web-app' })).status).to.equal(400);
    expect((await redeem(server, code, verifier, { redirect_uri: 'http://127.0.0.1:2/callback' })).status).to.equal(
      400,
    );
  });

  it('A11 gives exactly one of 50 racing exchanges a token', async () => {
    const { code, verifier } = await authorize({ url: server.url, person: 'demo-patient' });
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => (await redeem(server, code, verifier)).status),
    );
    expect(statuses.filter((status) => status === 200)).to.have.length(1);
    expect(statuses.filter((status) => status === 400)).to.have.length(49);
  });

  it('A14 refuses grant_type=password', async () => {
    const body = new URLSearchParams({ grant_type: 'password', client_id: 'demo-app', username: 'a', password: 'b' });
    const response = await fetch(`${server.url}/auth/token`, { method: 'POST', body });
    expect(response.status).to.equal(400);
    expect(await response.json()).to.include({ error: 'unsupported_grant_type' });
  });

  it('A15 refuses a parameter given twice at the token endpoint', async () => {
    const { code, verifier } = await authorize({ url: server.url, person: 'demo-patient' });
    const body = new URLSearchParams([
      ['grant_type', 'authorization_code'],
      ['client_id', 'demo-app'],
      ['code', code],
      ['code', code],
      ['redirect_uri', DEMO_APP.redirectUri],
      ['code_verifier', verifier],
    ]);
    const response = await fetch(`${server.url}/auth/token`, { method: 'POST', body });
    expect(response.status).to.equal(400);
    expect(await response.json()).to.include({ error: 'invalid_request' });
  });
});

describe('Lifetimes of codes and tokens', () => {
  it('A10 refuses a code after 61 seconds and a token after 30 minutes', async () => {
    await using server = await startSmartServer();
    const { code, verifier } = await authorize({ url: server.url, person: 'demo-patient' });
    const token = await signIn({ url: server.url, person: 'demo-patient' });
    server.advance(61);
    expect((await redeem(server, code, verifier)).status).to.equal(400);
    expect(await server.authenticate(bearerOf(token))).to.have.property('account');
    server.advance(1800);
    const refusal = await server.authenticate(bearerOf(token)).catch((error: unknown) => error);
    expect(refusal).to.include({ kind: 'login', protocolCode: 'invalid_token' });
  });
});
