/** The page at `/`: who gets it, in which language, and where it leads. */
import { expect } from 'chai';
import { LANGUAGES } from '../../../../server/endpoints/pages/language.ts';
import { TEXTS } from '../../../../server/endpoints/pages/texts.ts';
import { browse, startPages, type PagesServer } from './pages-server.ts';

const SUPPORT = 'mailto:aide@region.example';

describe('The start page', () => {
  let server: PagesServer;
  before(async () => {
    server = await startPages({ support: SUPPORT });
  });
  after(async () => await server[Symbol.asyncDispose]());

  const titleIn = async (headers: Record<string, string>, path = '/'): Promise<string | undefined> => {
    const page = await (await browse(server, path, headers)).text();
    const language = /<html lang="([a-z]+)">/.exec(page)?.[1];
    expect(page).to.contain(`<h1>${TEXTS[language as 'fr'].startTitle}</h1>`);
    return language;
  };

  it('speaks the language that the browser prefers, and French to who names none of its own', async () => {
    const preferred = {
      fr: 'fr',
      'de-AT,de;q=0.9,en;q=0.5': 'de',
      'en-GB': 'en',
      'es,en;q=0.2': 'en',
      'nl,es;q=0.5': 'fr',
      'fr;q=0.1,de;q=0.9': 'de',
      '*': 'fr',
    };
    for (const [accepted, language] of Object.entries(preferred))
      expect(await titleIn({ 'accept-language': accepted }), accepted).to.equal(language);
  });

  it('lets the reader choose another language, which counts more, and ignores one that it has not', async () => {
    const german = { 'accept-language': 'de' };
    for (const language of LANGUAGES) expect(await titleIn(german, `/?lang=${language}`)).to.equal(language);
    for (const query of ['/?lang=xx', '/?lang=', '/?lang=__proto__', '/?lang=<b>'])
      expect(await titleIn(german, query), query).to.equal('de');
    const page = await (await browse(server, '/')).text();
    for (const language of LANGUAGES)
      expect(page).to.contain(`<a href="/?lang=${language}" lang="${language}" hreflang="${language}"`);
    expect(page.match(/aria-current="true"/g)).to.have.length(1);
  });

  it('leads to sign-in, to what the server offers and to support', async () => {
    const page = await (await browse(server, '/')).text();
    for (const address of ['/voir', '/fhir/metadata', '/fhir/.well-known/smart-configuration', SUPPORT])
      expect(page).to.contain(`href="${address}"`);
    expect(page).to.contain('id="sign-in"');
  });

  it('shows no way to support when none is set', async () => {
    await using other = await startPages({});
    const page = await (await browse(other, '/')).text();
    for (const text of [TEXTS.fr.support, TEXTS.fr.supportTitle, 'mailto:']) expect(page).to.not.contain(text);
  });

  it('names the applications that one signs in from, who publishes them, and where they are opened', async () => {
    const named = { name: 'Carnet <b>', publisher: 'Cigogne & Cie', home: 'https://carnet.example/' };
    await using other = await startPages({ applications: [named, { name: 'Sans adresse' }] });
    const page = await (await browse(other, '/')).text();
    expect(page).to.contain('<a href="https://carnet.example/">Carnet &lt;b></a>').and.contain('Cigogne &amp; Cie');
    expect(page).to.contain('<strong>Sans adresse</strong>').and.not.contain(TEXTS.fr.signInNone);
    expect(await (await browse(server, '/')).text()).to.contain(TEXTS.fr.signInNone);
  });

  it('says that a demonstration is one, and leads a newcomer there alone', async () => {
    const persons = [{ login: 'demo-x', name: 'Dr <X>', kind: 'practitioner' }] as const;
    await using demonstration = await startPages({ isDemonstration: true, persons });
    const page = await (await browse(demonstration, '/', { 'accept-language': 'en' })).text();
    expect(page).to.contain(TEXTS.en.demonstration).and.contain('npm run demo');
    expect(page).to.contain('<a href="/auth/session?to=%2Fvoir&amp;login_hint=demo-x">Dr &lt;X></a>');
    const other = await (await browse(server, '/', { 'accept-language': 'en' })).text();
    expect(other).to.not.contain(TEXTS.en.demonstration).and.not.contain('npm run demo');
  });

  it('answers a client that does not ask for HTML first as a server without pages does', async () => {
    await using bare = await startPages(undefined);
    const answerOf = async ({ url }: PagesServer, init: RequestInit): Promise<unknown> => {
      const answer = await fetch(url, init);
      return [answer.status, answer.headers.get('content-type'), await answer.text()];
    };
    for (const accept of ['*/*', 'application/json', 'application/fhir+json', 'application/json, text/html;q=0.9']) {
      const init = { headers: { accept } };
      expect(await answerOf(server, init), accept).to.deep.equal(await answerOf(bare, init));
    }
    const posted = await fetch(server.url, { method: 'POST', headers: { accept: 'text/html' } });
    expect(posted.status).to.equal(404);
  });

  it('is told apart by caches, by Accept and by Accept-Language', async () => {
    for (const accept of ['*/*', 'text/html']) {
      const answer = await browse(server, '/', { accept });
      expect(answer.headers.get('vary')).to.equal('Accept, Accept-Language');
    }
  });
});
