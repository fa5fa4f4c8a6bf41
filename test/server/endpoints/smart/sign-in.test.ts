import { expect } from 'chai';
import { Browser, formOf } from '../../../../fixtures/browser.ts';
import type { Visit } from '../../../../fixtures/browser.ts';
import { authorize, DEMO_APP, signIn, signInFully } from '../../../../fixtures/sign-in.ts';
import { demandsOf } from '../../../../server/endpoints/smart/sign-in/demands.ts';
import { bearerOf, introspect, redeem } from '../../../support/clients/oauth.ts';
import { startSmartServer } from '../../../support/smart-server.ts';
import type { SmartServer } from '../../../support/smart-server.ts';

const OFFLINE = 'openid offline_access patient/*.rs';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

describe('Sign-in of a person through the identity provider', () => {
  let server: SmartServer;
  before(async () => {
    server = await startSmartServer();
  });
  after(async () => await server[Symbol.asyncDispose]());

  const start = (changes: Record<string, string> = {}) => {
    const url = new URL(`${server.url}/auth/authorize`);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: 'demo-app',
      redirect_uri: DEMO_APP.redirectUri,
      scope: 'openid patient/*.rs',
      state: 's',
      aud: `${server.url}/fhir`,
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      ...changes,
    }).toString();
    return url;
  };
  const choose = async (browser: Browser, person: string, page: Visit, stop?: (url: URL) => boolean) => {
    const form = formOf(page);
    if (form === undefined) throw new Error('no form');
    form.fields.set('login', person);
    return await browser.submit(form, stop);
  };
  const consentOf = async (browser: Browser, person = 'demo-patient', changes: Record<string, string> = {}) =>
    await choose(browser, person, await browser.open(start(changes)));
  const isCallback = (url: URL) => url.href.startsWith(DEMO_APP.redirectUri);
  const isAnswer = (url: URL) => url.pathname === '/auth/signed-in';

  it('shows in plain French what the application may do, and nothing may frame the page (A20)', async () => {
    const browser = new Browser();
    const page = await consentOf(browser, 'demo-patient', { scope: 'openid patient/ImagingStudy.rs' });
    expect(page.status).to.equal(200);
    for (const text of [
      'Hélène Valbrémont',
      'Application de démonstration',
      'la région de démonstration',
      'Consulter',
      'les examens d’imagerie',
      'Savoir qui vous êtes',
    ]) {
      expect(page.text).to.contain(text);
    }
    const response = await fetch(`${server.url}/auth/interaction/x/consent`);
    expect(response.headers.get('content-security-policy')).to.contain("frame-ancestors 'none'");
    expect(response.headers.get('x-frame-options')).to.equal('DENY');
    expect(response.headers.get('cache-control')).to.equal('no-store');
  });

  it('groups what is asked by what may be done, in the words of who is asked', () => {
    const own = demandsOf(['patient/Consent.cu', 'patient/ImagingStudy.rs', 'patient/DiagnosticReport.rs'], 'own');
    expect(own).to.deep.equal([
      { title: 'Ajouter et modifier', note: 'dans votre dossier\u00A0:', items: ['les choix de partage'] },
      {
        title: 'Consulter',
        note: 'dans votre dossier\u00A0:',
        items: ['les examens d’imagerie', 'les comptes rendus'],
      },
    ]);
    expect(demandsOf(['user/*.cruds', 'offline_access'], 'others')).to.deep.equal([
      {
        title: 'Consulter, ajouter, modifier et supprimer',
        items: ['tous les dossiers d’imagerie auxquels vous avez accès'],
      },
      { title: 'Garder cet accès quand vous n’êtes pas là', items: ['pendant 90\u00A0jours au plus'] },
    ]);
  });

  it('names a thing beside the whole record only where more may be done with it', () => {
    const titles = (scopes: readonly string[]): readonly string[] =>
      demandsOf(scopes, 'own').map(({ title, items }) => `${title} ${items.join()}`);
    expect(titles(['patient/*.rs', 'patient/Patient.r', 'patient/Consent.cud'])).to.deep.equal([
      'Consulter tout votre dossier d’imagerie',
      'Ajouter, modifier et supprimer les choix de partage',
    ]);
    expect(titles(['patient/*.s', 'user/*.r', 'launch/patient'])).to.deep.equal([
      'Consulter tout votre dossier d’imagerie',
    ]);
  });

  it('says who publishes the application, and nothing of it when the region file does not', async () => {
    const named = await consentOf(new Browser());
    expect(named.text).to.contain('publiée par <strong>la région de démonstration</strong>');
    const web = { client_id: 'test-web-app', redirect_uri: 'https://app.example/callback' };
    const unnamed = await consentOf(new Browser(), 'demo-patient', web);
    expect(unnamed.text).to.contain('retournerez sur app.example').and.not.contain('publiée par');
  });

  it('lets the form of consent lead to the application that asks, and to no other', async () => {
    const browser = new Browser();
    const page = await consentOf(browser);
    const policy = page.headers.get('content-security-policy');
    expect(policy).to.contain("form-action 'self' http://127.0.0.1:49152;").and.contain("script-src 'self';");
    expect(page.text).to.not.match(/<script|<style|\sstyle=/);
  });

  it('tells a sign-in that has expired from one of another window', async () => {
    const browser = new Browser();
    const expired = await new Browser().open(new URL(`${server.url}/auth/interaction/x/consent`));
    expect([expired.status, expired.text.includes('Cette connexion a expiré')]).to.deep.equal([400, true]);
    const form = formOf(await consentOf(browser));
    const path = (form?.action.pathname ?? '').split('/');
    path[3] = 'x'.repeat(path[3]?.length ?? 0);
    const cookies = form?.action === undefined ? undefined : browser.cookiesAt(form.action);
    const answer = await fetch(new URL(path.join('/'), server.url), { headers: { cookie: cookies ?? '' } });
    expect(answer.status).to.equal(400);
    expect(await answer.text()).to.contain('Une autre connexion est en cours');
  });

  it('escapes the name of an application', async () => {
    const page = await consentOf(new Browser(), 'demo-patient', {
      client_id: 'test-web-app',
      redirect_uri: 'https://app.example/callback',
    });
    expect(page.text).to.not.contain('<web>');
  });

  it('A21 refuses a consent form without its token, or with that of another sign-in', async () => {
    const [browser, other] = [new Browser(), new Browser()];
    const form = formOf(await consentOf(browser));
    const otherForm = formOf(await consentOf(other));
    for (const csrf of [undefined, '', otherForm?.fields.get('csrf') ?? '']) {
      const fields = new URLSearchParams({ decision: 'allow', ...(csrf === undefined ? {} : { csrf }) });
      const answer = await browser.submit({ action: form?.action ?? new URL(server.url), fields }, isCallback);
      expect(answer.status).to.equal(403);
    }
  });

  it('refuses the consent page to another browser', async () => {
    const form = formOf(await consentOf(new Browser()));
    const answer = await new Browser().open(form?.action ?? new URL(server.url), isCallback);
    expect(answer.status).to.equal(400);
  });

  it('tells the application when the person refuses', async () => {
    const browser = new Browser();
    const form = formOf(await consentOf(browser));
    form?.fields.set('decision', 'deny');
    const end = form === undefined ? undefined : await browser.submit(form, isCallback);
    expect(end?.url.searchParams.get('error')).to.equal('access_denied');
    expect(end?.url.searchParams.get('state')).to.equal('s');
  });

  it('A23 answers with iss, and refuses an identity provider answer with another iss', async () => {
    const browser = new Browser();
    const answer = await choose(browser, 'demo-patient', await browser.open(start()), isAnswer);
    answer.url.searchParams.set('iss', 'https://other.example');
    const page = await browser.open(answer.url, isCallback);
    expect(page.status).to.equal(400);
    expect(server.events.at(-1)).to.include({ subject: 'person', outcome: 'failure' });
  });

  it('A24 refuses an answer with an unknown, a used or a foreign state', async () => {
    const browser = new Browser();
    const answer = await choose(browser, 'demo-patient', await browser.open(start()), isAnswer);
    const unknown = new URL(answer.url);
    unknown.searchParams.set('state', 'x'.repeat(43));
    expect((await browser.open(unknown)).status).to.equal(400);
    expect((await new Browser().open(answer.url)).status).to.equal(400);
    expect((await browser.open(answer.url)).status).to.equal(200);
    expect((await browser.open(answer.url)).status).to.equal(400);
  });

  it('gives an unknown person a clear page and no session', async () => {
    const page = await consentOf(new Browser(), 'demo-stranger');
    expect(page.status).to.equal(403);
    expect(page.text).to.contain('Nous ne vous connaissons pas encore');
    expect(server.events.at(-1)).to.include({ subject: 'person', outcome: 'failure', clientId: 'demo-app' });
  });

  it('records who signed in, when and how surely', async () => {
    const authTime = Math.floor(Date.now() / 1000) - 500;
    const token = await signIn({ url: server.url, person: 'demo-declared', authTime });
    expect(server.events.at(-1)).to.include({ outcome: 'success', account: 'Practitioner/demo-declared', authTime });
    expect(await server.authenticate(bearerOf(token))).to.include({ account: 'Practitioner/demo-declared', authTime });
  });

  it('keeps the time of sign-in across a refresh', async () => {
    const authTime = Math.floor(Date.now() / 1000) - 700;
    const first = await signInFully({ url: server.url, person: 'demo-patient', authTime, scope: OFFLINE });
    const second = await refresh(server, String(first['refresh_token']));
    const answer = (await second.json()) as { access_token: string };
    expect(answer).to.include({ patient: 'demo-patient' });
    expect(await server.authenticate(bearerOf(answer.access_token))).to.include({ authTime });
  });

  it('refuses a sign-in older than the application allows (max_age)', async () => {
    const browser = new Browser();
    const form = formOf(await browser.open(start({ max_age: '60' })));
    form?.fields.set('login', 'demo-patient');
    form?.fields.set('auth_time', String(Math.floor(Date.now() / 1000) - 600));
    const page = form === undefined ? undefined : await browser.submit(form, isCallback);
    expect(page?.status).to.equal(400);
  });

  it('A22 asks the identity provider again at each authorization, so that no session is inherited', async () => {
    const browser = new Browser();
    const form = formOf(await consentOf(browser));
    form?.fields.set('decision', 'allow');
    if (form !== undefined) await browser.submit(form, isCallback);
    const again = await browser.open(start());
    expect(again.url.pathname).to.match(/^\/development\/identity-provider\//);
    const page = await choose(browser, 'demo-declared', again);
    expect(page.text).to.contain('Dr Maëlle Brandessart');
    const second = formOf(page);
    second?.fields.set('decision', 'allow');
    const end = second === undefined ? undefined : await browser.submit(second, isCallback);
    expect(end?.url.searchParams.get('code')).to.be.a('string');
    expect(server.events.at(-1)).to.include({ account: 'Practitioner/demo-declared' });
  });

  it('signs nobody in when it cannot be recorded', async () => {
    const onSignIn = async () => {
      throw new Error('trail is full');
    };
    await using closed = await startSmartServer({ onSignIn, onError: () => undefined });
    const outcome = await signIn({ url: closed.url, person: 'demo-patient' }).catch((error: Error) => error.message);
    expect(outcome).to.match(/Sign-in stopped \(500\)/);
  });

  it(
    'A17 refuses a refresh with wider scope, A18 revokes the family of a rotated token, A19 refuses another ' +
      'client',
    async () => {
      const first = await signInFully({ url: server.url, person: 'demo-patient', scope: OFFLINE });
      const old = String(first['refresh_token']);
      const wider = await refresh(server, old, { scope: 'patient/*.cruds' });
      expect(wider.status).to.equal(400);
      expect(await wider.json()).to.include({ error: 'invalid_scope' });
      expect((await refresh(server, old, { client_id: 'test-web-app' })).status).to.equal(400);
      const rotated = (await (await refresh(server, old)).json()) as { refresh_token: string; access_token: string };
      expect(rotated.refresh_token).to.not.equal(old);
      expect((await refresh(server, old)).status).to.equal(400);
      expect((await refresh(server, rotated.refresh_token)).status).to.equal(400);
      expect(await introspect(server, rotated.access_token)).to.deep.equal({ active: false });
      expect(await server.authenticate(bearerOf(rotated.access_token)).catch((error: unknown) => error)).to.include({
        kind: 'login',
      });
    },
  );

  it('keeps no code, token or refresh token in clear', async () => {
    const { code, verifier } = await authorize({ url: server.url, person: 'demo-patient', scope: OFFLINE });
    const answer = (await (await redeem(server, code, verifier)).json()) as Record<string, string>;
    const stored = server.tokens.dump();
    for (const secret of [code, answer['access_token'], answer['refresh_token']]) expect(stored).to.not.contain(secret);
  });
});

async function refresh(server: SmartServer, token: string, changes: Record<string, string> = {}): Promise<Response> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'demo-app',
    refresh_token: token,
    ...changes,
  });
  return await fetch(`${server.url}/auth/token`, { method: 'POST', body });
}
