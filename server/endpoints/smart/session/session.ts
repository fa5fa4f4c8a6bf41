/**
 * The session of a person's browser on our own pages: an access token like any other, revoked and checked like any
 * other, which the browser keeps in a cookie that no script reads.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import { PAGES_CLIENT_ID } from '../../../../profiles/codes.ts';
import type { RegionClient } from '../../../config/region-model.ts';
import type { AuthorizationKeys } from '../keys.ts';
import type { BoundOptions } from '../options.ts';
import type { SignedInPerson } from '../sign-in/pending-sign-ins.ts';
import { ACCESS_TOKEN_MODEL } from '../tokens/oidc-adapter.ts';
import { tokenDigest } from '../tokens/token-digest.ts';

/** Our pages, as a client that nobody can be given a token for by OAuth. */
export const PAGES_CLIENT: RegionClient = {
  client_id: PAGES_CLIENT_ID,
  name: 'Passerelle',
  token_endpoint_auth_method: 'none',
  scope: '',
  grant_types: [],
};

/** How long a person stays signed in, in seconds. */
export const SESSION_SECONDS = 3_600;

/** What our pages do for a professional: look, and declare an emergency; for a patient or her representative: look. */
const SCOPES = { professional: 'user/*.rs user/Patient.u', record: 'patient/*.rs' } as const;

/** The name of the cookie; with TLS its prefix binds it to this host. @see RFC 6265bis 4.1.3.2 */
export function sessionCookie(publicUrl: string): string {
  return `${publicUrl.startsWith('https:') ? '__Host-' : ''}passerelle-session`;
}

/** The token of a request's cookie; undefined when it has none. */
export function sessionTokenOf(ctx: Context, publicUrl: string): string | undefined {
  return ctx.cookies.get(sessionCookie(publicUrl)) ?? undefined;
}

/** Opens a session for a person and gives its token. */
export async function openSession(options: BoundOptions, { account, authTime }: SignedInPerson): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  const payload = {
    clientId: PAGES_CLIENT.client_id,
    accountId: account,
    scope: account.startsWith('Practitioner/') ? SCOPES.professional : SCOPES.record,
    extra: { auth_time: authTime },
    givenAt: options.clock.now(),
  };
  const expiresAt = Math.floor(payload.givenAt / 1000) + SESSION_SECONDS;
  await options.tokens.upsert(ACCESS_TOKEN_MODEL, tokenDigest(token), { payload, expiresAt }, {});
  return token;
}

/** Ends the session of a token: the next request with it is nobody's. */
export async function endSession({ tokens }: Pick<BoundOptions, 'tokens'>, token: string): Promise<void> {
  await tokens.destroy(ACCESS_TOKEN_MODEL, tokenDigest(token));
}

/** Where a cookie is sent, and for how many seconds. Without `sameSite` links of other sites bring it, too. */
export type CookiePlace = {
  readonly publicUrl: string;
  readonly path: string;
  readonly maxAge: number;
  readonly sameSite?: 'Strict';
};

/** Formats a cookie that no script reads; without a value it is forgotten. */
export function cookieOf(name: string, value: string, { publicUrl, path, maxAge, sameSite }: CookiePlace): string {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  const age = value === '' ? 0 : maxAge;
  return `${name}=${value}; Path=${path}; Max-Age=${age}; HttpOnly; SameSite=${sameSite ?? 'Lax'}${secure}`;
}

/** The value that proves that a form comes from a page of this session. */
export function formProof(keys: AuthorizationKeys, token: string): string {
  return createHmac('sha256', keys.cookieKeys[0] ?? '')
    .update(`form ${tokenDigest(token)}`)
    .digest('base64url');
}

/** Whether a posted value is that of this session. */
export function isFormProof(keys: AuthorizationKeys, token: string, value: string | null): boolean {
  return isSame(formProof(keys, token), value ?? '');
}

/** Compares a secret in a time that does not tell how much of it is right. */
export function isSame(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.length === right.length && timingSafeEqual(left, right);
}
