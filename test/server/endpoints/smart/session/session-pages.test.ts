/** The pages of signing in to our own pages: in the reader's language, and with a way on. */
import { expect } from 'chai';
import { Fault } from '../../../../../profiles/fault.ts';
import { LANGUAGES } from '../../../../../server/endpoints/pages/language.ts';
import { SESSION_TEXTS } from '../../../../../server/endpoints/smart/session/session-texts.ts';
import type { IdentityProvider } from '../../../../../server/ports/identity-provider.ts';
import { startSmartServer, type SmartServer } from '../../../../support/smart-server.ts';

/** A provider that nobody answers at. */
function silent(name: string): IdentityProvider {
  const fail = async (): Promise<never> => await Promise.reject(new Fault('transient', 'a secret of the inside'));
  return { name, begin: fail, complete: fail };
}

describe('The pages of signing in to our own pages', () => {
  let server: SmartServer;
  const logged: unknown[] = [];

  before(async () => {
    const identityProviders = [silent('Pro Santé <Connect>'), silent('eHealth')];
    server = await startSmartServer({
      identityProviders: () => identityProviders,
      onError: (error) => void logged.push(error),
    });
  });
  after(async () => await server[Symbol.asyncDispose]());

  async function pageAt(path: string, language: string): Promise<{ status: number; text: string }> {
    const headers = { accept: 'text/html', 'accept-language': language };
    const answer = await fetch(`${server.url}${path}`, { headers });
    return { status: answer.status, text: await answer.text() };
  }

  for (const language of LANGUAGES) {
    it(`offer the providers, say that one does not answer, and that a sign-in has expired: ${language}`, async () => {
      const texts = SESSION_TEXTS[language];
      const choice = await pageAt('/auth/session?to=/viewer/1.2%232.5', language);
      expect(choice.status).to.equal(200);
      expect(choice.text)
        .to.contain(`<html lang="${language}">`)
        .and.contain(texts.chooseLead)
        .and.contain('href="/auth/session/provider/1?to=%2Fviewer%2F1.2%232.5"')
        .and.contain('Pro Santé &lt;Connect>');
      const away = await pageAt('/auth/session/provider/0?to=/', language);
      expect([away.status, away.text.includes(texts.awayTitle), away.text.includes('secret')]).to.deep.equal([
        503,
        true,
        false,
      ]);
      const expired = await pageAt('/auth/session/signed-in?state=old&code=old', language);
      expect(expired.status).to.equal(400);
      expect(expired.text).to.contain(texts.expiredTitle).and.contain('href="/auth/session"');
    });
  }

  it('let the reader choose another language, and keep where he was going', async () => {
    const { text } = await pageAt('/auth/session?to=/voir/abc&lang=de', 'fr');
    expect(text).to.contain(SESSION_TEXTS.de.chooseLead).and.contain('/auth/session?to=%2Fvoir%2Fabc&amp;lang=en');
  });

  it('log what does not answer', () => {
    expect(logged.map(String)).to.include('Fault: a secret of the inside');
  });
});
