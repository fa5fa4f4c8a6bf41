/** Who may open several records chooses one: her own, or that of somebody whom she represents (access.md 10.3). */
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { Browser, formOf, type Visit } from '../../../../fixtures/browser.ts';
import { authorize, DEMO_APP, signInFully } from '../../../../fixtures/sign-in.ts';
import type { Account } from '../../../../server/ports/account-directory.ts';
import { startSmartServer, type SmartServer } from '../../../support/smart-server.ts';

const LEO: Account = {
  reference: 'RelatedPerson/leo',
  display: 'Hélène Valbrémont',
  represents: { name: 'Léo <Valbrémont>', birthDate: '2014-03-02' },
};
const ZELIE: Account = { ...LEO, reference: 'RelatedPerson/zelie', represents: { name: 'Zélie Valbrémont' } };

describe('The choice between records', () => {
  let server: SmartServer;
  let represented: readonly Account[];
  before(async () => {
    server = await startSmartServer({}, () => represented);
  });
  beforeEach(() => {
    represented = [LEO, ZELIE];
  });
  after(async () => await server[Symbol.asyncDispose]());

  const answered = async (browser: Browser, page: Visit, fields: Readonly<Record<string, string>>): Promise<Visit> => {
    const form = formOf(page);
    if (form === undefined) throw new Error('no form');
    for (const [name, value] of Object.entries(fields)) form.fields.set(name, value);
    return await browser.submit(form, (url) => url.href.startsWith(DEMO_APP.redirectUri) || url.pathname === '/');
  };
  /** The page of the choice, on our own pages or in an application's sign-in. */
  const asked = async (browser: Browser, path = '/auth/session?to=/', person = 'demo-patient'): Promise<Visit> =>
    await answered(browser, await browser.open(new URL(path, server.url)), { login: person });

  it('names each person, in the language of the reader', async () => {
    const browser = new Browser();
    const page = await asked(browser);
    expect([page.status, page.url.pathname]).to.deep.equal([200, '/auth/session/record']);
    for (const text of [
      'Hélène Valbrémont',
      'Léo &lt;Valbrémont>',
      '2 mars 2014',
      'Zélie Valbrémont',
      'représentant légal',
    ])
      expect(page.text).to.contain(text);
    for (const [language, text] of [
      ['de', '2. März 2014'],
      ['en', '2 March 2014'],
    ] as const) {
      const other = await browser.open(new URL(`/auth/session/record?lang=${language}`, server.url));
      expect(other.headers.get('content-language')).to.equal(language);
      expect(other.text).to.match(new RegExp(language === 'en' ? 'March 2, 2014|2 March 2014' : text));
    }
  });

  it('opens a session of the account that was chosen, and records it', async () => {
    for (const reference of ['RelatedPerson/zelie', 'Patient/demo-patient']) {
      const browser = new Browser();
      const end = await answered(browser, await asked(browser), { account: reference });
      expect(end.url.pathname).to.equal('/');
      const session = /passerelle-session=([^;]+)/.exec(browser.cookiesAt(end.url))?.[1] ?? '';
      expect((await server.authenticate(`Bearer ${session}`)).account).to.equal(reference);
      expect(server.events.at(-1)).to.include({ outcome: 'success', account: reference, display: 'Hélène Valbrémont' });
    }
  });

  it('asks again where nothing, or nobody of hers, was chosen, and when she represents somebody no more', async () => {
    const browser = new Browser();
    const page = await asked(browser);
    for (const account of ['', 'RelatedPerson/other', 'Patient/demo-patient-lu']) {
      const again = await answered(browser, page, { account });
      expect([again.status, again.url.pathname]).to.deep.equal([400, '/auth/session/record']);
      expect(again.text).to.contain('role="alert"').and.contain('Choisissez un dossier');
    }
    represented = [ZELIE];
    const later = await browser.open(new URL('/auth/session/record', server.url));
    expect(later.text, 'of one who is closed meanwhile').to.contain('Zélie').and.not.contain('Léo');
    const none = await answered(browser, page, { account: '' });
    expect(none.text).to.contain('Zélie').and.not.contain('Léo');
    const gone = await answered(browser, page, { account: LEO.reference });
    expect(gone.status).to.equal(400);
    expect(gone.text).to.contain('ne représentez plus').and.contain('Zélie').and.not.contain('Léo');
    expect(browser.cookiesAt(new URL('/', server.url))).to.not.contain('passerelle-session=');
  });

  it('A21 takes no form without its token, none of another browser, and none after its time', async () => {
    const browser = new Browser();
    const page = await asked(browser);
    expect((await answered(browser, page, { account: ZELIE.reference, csrf: 'x' })).status).to.equal(403);
    expect((await answered(new Browser(), page, { account: ZELIE.reference })).status).to.equal(400);
    server.advance(901);
    const late = await answered(browser, page, { account: ZELIE.reference });
    expect([late.status, late.text.includes('a expiré')]).to.deep.equal([400, true]);
  });

  it('is not asked of who has one record, nor of a professional, whom no record of her own follows', async () => {
    represented = [];
    const own = new Browser();
    expect((await asked(own)).url.pathname).to.equal('/');
    represented = [LEO];
    const professional = new Browser();
    expect((await asked(professional, '/auth/session?to=/', 'demo-declared')).url.pathname).to.equal('/');
  });

  it('gives an application the patient who was chosen, and says so in the consent page', async () => {
    const answer = await signInFully({ url: server.url, person: 'demo-patient', record: ZELIE.reference });
    expect(decodeJwt(String(answer['id_token']))).to.include({
      sub: ZELIE.reference,
      fhirUser: `${server.url}/fhir/${ZELIE.reference}`,
    });
    const refused = await authorize({ url: server.url, person: 'demo-patient', record: 'RelatedPerson/other' }).then(
      () => 'signed in',
      (error: Error) => error.message,
    );
    expect(refused).to.match(/^Sign-in stopped \(400\)/);
    const browser = new Browser();
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: DEMO_APP.clientId,
      redirect_uri: DEMO_APP.redirectUri,
      scope: 'openid patient/*.rs',
      aud: `${server.url}/fhir`,
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    });
    const choice = await asked(browser, `/auth/authorize?${query}`);
    expect(choice.url.pathname).to.match(/^\/auth\/interaction\/[^/]+\/record$/);
    const consent = await answered(browser, choice, { account: LEO.reference });
    expect(consent.text).to.contain('en tant que représentant légal de').and.contain('Léo &lt;Valbrémont>');
    expect(consent.text).to.contain('tout le dossier d’imagerie de cette personne');
  });
});
