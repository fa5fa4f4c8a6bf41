import { expect } from 'chai';
import { Browser } from '../../../../fixtures/browser.ts';
import { DEMO_APP } from '../../../../fixtures/sign-in.ts';
import { refuseTokenInQuery } from '../../../../server/endpoints/smart/tokens/authenticate.ts';
import type { IdentityProvider } from '../../../../server/ports/identity-provider.ts';
import { startSmartServer } from '../../../support/smart-server.ts';

function requestTo(url: string, publicUrl: string): URL {
  const request = new URL(`${url}/auth/authorize`);
  request.search = new URLSearchParams({
    response_type: 'code',
    client_id: 'demo-app',
    redirect_uri: DEMO_APP.redirectUri,
    scope: 'openid',
    state: 's',
    aud: `${publicUrl}/fhir`,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  }).toString();
  return request;
}

describe('Authorization server behind TLS and with several identity providers', () => {
  it('G09 binds its cookies to the host when the public address is https', async () => {
    const publicUrl = 'https://passerelle.example';
    await using server = await startSmartServer({ publicUrl: () => publicUrl });
    const response = await fetch(requestTo(server.url, publicUrl), { redirect: 'manual' });
    const cookies = response.headers.getSetCookie();
    expect(response.headers.get('location')).to.match(/^\/auth\/interaction\//);
    expect(cookies).to.have.length.greaterThan(1);
    for (const cookie of cookies) {
      expect(cookie).to.match(/^__(Secure|Host)-/);
      expect(cookie)
        .to.match(/; secure/i)
        .and.to.match(/; httponly/i)
        .and.to.match(/; samesite=lax/i);
    }
  });

  it('lets the person choose among identity providers', async () => {
    const named = (name: string, address: string): IdentityProvider => ({
      name,
      begin: async ({ state, redirectUri }) =>
        new URL(`${address}?state=${state}&redirect_uri=${encodeURIComponent(redirectUri)}`),
      complete: async () => {
        throw new Error('not reached');
      },
    });
    const identityProviders = [
      named('Carte professionnelle', 'https://pro.example/'),
      named('Compte <patient>', 'https://patient.example/'),
    ];
    await using server = await startSmartServer({ identityProviders: () => identityProviders });
    const browser = new Browser();
    const page = await browser.open(requestTo(server.url, server.url));
    expect(page.text).to.contain('Carte professionnelle').and.to.contain('Compte &lt;patient>');
    const hrefs = [...page.text.matchAll(/href="([^"]*\/provider\/[^"]*)"/g)];
    const links = hrefs.map(([, href = '']) => new URL(href, page.url));
    const away = await browser.open(links[1] ?? page.url, (url) => url.hostname === 'patient.example');
    expect(away.url.searchParams.get('redirect_uri')).to.equal(`${server.url}/auth/signed-in`);
    expect((await browser.open(new URL(`${page.url.href}/provider/2`))).status).to.equal(404);
  });

  it('B14 refuses a token in the address', () => {
    expect(() => refuseTokenInQuery('a=b&access_token=x'))
      .to.throw()
      .with.property('kind', 'invalid');
    expect(() => refuseTokenInQuery('a=access_token')).to.not.throw();
  });
});
