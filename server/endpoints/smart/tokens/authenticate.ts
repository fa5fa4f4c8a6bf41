/** Who a bearer token stands for. @see RFC 6750 */
import { PAGES_CLIENT_ID } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { narrowScopes } from '../../../access/scope.ts';
import type { RegionClient } from '../../../config/region-model.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { TokenStore } from '../../../ports/token-store.ts';
import { registeredScopes } from '../registered-clients.ts';
import { ACCESS_TOKEN_MODEL } from './oidc-adapter.ts';
import { tokenDigest } from './token-digest.ts';

/** What a valid access token says. Times are epoch seconds. */
export type TokenFacts = {
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** `Patient/id`, `Practitioner/id` or `RelatedPerson/id`; absent for a backend client. */
  readonly account?: string;
  /** `Organization/id` on whose behalf a backend client acts. */
  readonly organization?: string;
  readonly authTime?: number;
  /** SHA-256 of the token, base64url. */
  readonly tokenId: string;
  /** The token as the token store knows it: it can be revoked. */
  readonly accessToken: { readonly model: string; readonly id: string };
  readonly expiresAt: number;
};

/** Finds the facts behind an Authorization header; see {@link createAuthenticate}. */
export type Authenticate = (authorization: string | undefined) => Promise<TokenFacts>;

const BEARER = /^Bearer +([A-Za-z0-9_-]{43,128})$/i;

/**
 * The name of the token in an Authorization header: its SHA-256, base64url.
 * @throws {Fault} login - without a header, or with another scheme (`invalid_token`)
 */
export function tokenIdOf(authorization: string | undefined): string {
  if (authorization === undefined) throw new Fault('login', 'A bearer token is required');
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw invalidToken();
  return tokenDigest(token);
}

/**
 * Makes the check of access tokens: one read of the store, nothing remembered, so a revoked token, or that of a client
 * that left the region, is refused at once.
 *
 * The check throws Fault `login`: without a header, with another scheme, or (`invalid_token`) for a token that is
 * unknown, expired, revoked or no access token.
 */
export function createAuthenticate(options: {
  readonly tokens: TokenStore;
  readonly clients: () => readonly RegionClient[];
  readonly clock: Clock;
}): Authenticate {
  return async (authorization) => {
    const tokenId = tokenIdOf(authorization);
    const stored = await options.tokens.find(ACCESS_TOKEN_MODEL, tokenId);
    const client = options.clients().find(({ client_id }) => client_id === stored?.payload['clientId']);
    const now = Math.floor(options.clock.now() / 1000);
    if (stored?.expiresAt === undefined || stored.expiresAt <= now || client === undefined) throw invalidToken();
    return factsOf(stored.payload, client, tokenId, stored.expiresAt);
  };
}

/**
 * Refuses a request that carries its token in the address, where logs and histories keep it.
 * @throws {Fault} invalid
 * @see RFC 6750 section 2.3; RFC 9700 section 4.3.2
 */
export function refuseTokenInQuery(query: string): void {
  if (!new URLSearchParams(query).has('access_token')) return;
  throw new Fault('invalid', 'A token belongs in the Authorization header, never in the address', {
    expression: 'access_token',
    protocolCode: 'invalid_request',
  });
}

function factsOf(
  payload: Readonly<Record<string, unknown>>,
  client: RegionClient,
  tokenId: string,
  expiresAt: number,
): TokenFacts {
  const { accountId, scope, extra } = payload;
  const authTime = (extra as { readonly auth_time?: unknown } | undefined)?.auth_time;
  const isBackend = typeof accountId !== 'string';
  return {
    clientId: client.client_id,
    scopes: scopesOf(client, typeof scope === 'string' ? scope.split(' ') : []),
    ...(isBackend ? {} : { account: accountId }),
    ...(isBackend && client.organization !== undefined ? { organization: client.organization } : {}),
    ...(typeof authTime === 'number' ? { authTime } : {}),
    tokenId,
    accessToken: { model: ACCESS_TOKEN_MODEL, id: tokenId },
    expiresAt,
  };
}

/** What was granted, as far as the client is registered for it now. Our own pages give their scopes themselves. */
function scopesOf(client: RegionClient, granted: readonly string[]): readonly string[] {
  return client.client_id === PAGES_CLIENT_ID ? granted : narrowScopes(granted, registeredScopes(client));
}

function invalidToken(): Fault {
  return new Fault('login', 'The token is unknown, expired or revoked', { protocolCode: 'invalid_token' });
}
