import { expect } from 'chai';
import { Browser, formOf, type Visit } from '../../../../../fixtures/browser.ts';
import { ACCESS_TOKEN_MODEL } from '../../../../../server/endpoints/smart/tokens/oidc-adapter.ts';
import { tokenDigest } from '../../../../../server/endpoints/smart/tokens/token-digest.ts';
import { startSmartServer, type SmartServer } from '../../../../support/smart-server.ts';

const LINK = '/voir/an-exam?from=record';

describe('The session of a browser on our own pages', () => {
  let server: SmartServer;
  before(async () => {
    server = await startSmartServer();
  });
  after(async () => await server[Symbol.asyncDispose]());

  const start = (changes: Record<string, string> = {}): URL => {
    const url = new URL(`${server.url}/auth/session`);
    url.search = new URLSearchParams({ to: LINK, ...changes }).toString();
    return url;
  };
  const isLink = (url: URL): boolean => url.pathname + url.search === LINK;
  const isAnswer = (url: URL): boolean => url.pathname === '/auth/session/signed-in';
  const choose = async (browser: Browser, page: Visit, stop: (url: URL) => boolean): Promise<Visit> => {
    const form = formOf(page);
    if (form === undefined) throw new Error(`No form: ${page.status}`);
    form.fields.set('login', 'demo-patient');
    return await browser.submit(form, stop);
  };
  const signIn = async (): Promise<{ back: Visit; cookie: string; token: string }> => {
    const browser = new Browser();
    const back = await choose(browser, await browser.open(start()), isLink);
    const cookies = browser.cookiesAt(new URL('/', server.url)).split('; ');
    const cookie = cookies.find((one) => one.startsWith('passerelle-session=')) ?? '';
    return { back, cookie, token: cookie.split('=')[1] ?? '' };
  };
  const isLive = async (token: string): Promise<boolean> =>
    (await server.tokens.find(ACCESS_TOKEN_MODEL, tokenDigest(token))) !== undefined;
  const endWith = async (cookie: string, proof: string): Promise<Response> =>
    await fetch(`${server.url}/auth/session/end`, {
      method: 'POST',
      redirect: 'manual',
      headers: { Cookie: cookie, Accept: 'text/html' },
      body: new URLSearchParams({ proof }),
    });

  it('leads back to the link, with a cookie that no script and no other site sends (G09)', async () => {
    const { back, cookie, token } = await signIn();
    expect(isLink(back.url)).to.equal(true);
    const session = back.headers.getSetCookie().find((line) => line.startsWith('passerelle-session='));
    expect(session).to.match(/; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    expect(cookie).to.match(/^passerelle-session=[\w-]{43}$/);
    expect(back.url.href).not.to.contain(token);
  });

  it('keeps a digest of the token alone', async () => {
    const { token } = await signIn();
    expect(await isLive(token)).to.equal(true);
    expect(server.tokens.dump()).not.to.contain(token);
  });

  it('offers first whom the link expects, and takes no odd hint', async () => {
    const chosen = async (hint: string): Promise<string | undefined> => {
      const { text } = await new Browser().open(start({ login_hint: hint }));
      const [checked] = [...text.matchAll(/<input[^>]*>/g)].filter(([input]) => /\schecked\b/.test(input));
      return /value="([^"]+)"/.exec(checked?.[0] ?? '')?.[1];
    };
    expect(await chosen('demo-stranger')).to.equal('demo-stranger');
    for (const odd of ['nobody', '', 'x'.repeat(201), 'demo stranger', '"><script>'])
      expect(await chosen(odd), odd).to.equal(undefined);
  });

  it('opens no session for another browser that is given the answer (A24)', async () => {
    const browser = new Browser();
    const answer = await choose(browser, await browser.open(start()), isAnswer);
    const other = await new Browser().open(answer.url);
    expect(other.status).to.equal(400);
    expect(other.headers.getSetCookie().join()).not.to.contain('passerelle-session');
  });

  it('takes an answer once', async () => {
    const browser = new Browser();
    const answer = await choose(browser, await browser.open(start()), isAnswer);
    expect((await browser.open(answer.url, isLink)).status).to.equal(303);
    expect((await browser.open(answer.url, isLink)).status).to.equal(400);
  });

  it('ends by a form of its own pages only (A21), and for good', async () => {
    const { cookie, token } = await signIn();
    const foreign = await endWith(cookie, 'x'.repeat(43));
    expect([foreign.status, await isLive(token)]).to.deep.equal([403, true]);
    const ended = await endWith(cookie, server.proofOf(token));
    expect([ended.status, await isLive(token)]).to.deep.equal([303, false]);
    expect(ended.headers.getSetCookie().join()).to.contain('passerelle-session=; Path=/; Max-Age=0');
  });

  it('has another token at each sign-in (A22)', async () => {
    expect((await signIn()).cookie).not.to.equal((await signIn()).cookie);
  });
});
