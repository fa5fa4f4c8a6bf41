/** An authorization request on its way to oidc-provider: posted ones become plain, and no session is brought along. */
import type { IncomingMessage } from 'node:http';

/**
 * Asks for consent where SMART implies it: oidc-provider drops `offline_access` without `prompt=consent`, which SMART
 * apps do not send. Consent is asked at every authorization anyhow. Repeated parameters are left alone, to be refused.
 */
export function withConsentPrompt(query: string): string {
  const parameters = new URLSearchParams(query);
  const scopes = parameters.getAll('scope');
  const prompts = parameters.getAll('prompt');
  const isOffline = scopes.length === 1 && scopes[0]?.split(' ').includes('offline_access') === true;
  if (!isOffline || prompts.length > 1) return query;
  const words = (prompts[0] ?? '').split(' ').filter((word) => word !== '');
  if (words.includes('none') || words.includes('consent')) return query;
  parameters.set('prompt', [...words, 'consent'].join(' '));
  return parameters.toString();
}

/**
 * Leaves a session out of a request: each authorization goes to the identity provider, which alone knows whether the
 * person is still signed in, and on a shared workstation nobody enters on the last one's session.
 */
export function dropSession(request: IncomingMessage, sessionCookie: string): void {
  const kept = (request.headers.cookie ?? '').split('; ').filter((cookie) => {
    const name = cookie.slice(0, cookie.indexOf('='));
    return name !== sessionCookie && name !== `${sessionCookie}.sig`;
  });
  request.headers.cookie = kept.join('; ');
}
