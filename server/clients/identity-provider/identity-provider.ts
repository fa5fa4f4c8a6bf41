/**
 * An upstream identity provider, spoken to in OpenID Connect: authorization code with PKCE, state and nonce; the
 * issuer of the answer and the signature, audience and age of the id_token are checked.
 * @see OpenID Connect Core 1.0, RFC 7636, RFC 9207
 */
import * as openid from 'openid-client';
import { importJWK } from 'jose';
import { Fault } from '../../../profiles/fault.ts';
import type { IdentityProvider, SignInRequest, VouchedIdentity } from '../../ports/identity-provider.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdentityProviderSettings, ProviderAuthentication } from './settings.ts';
import { identityFrom } from './vouched-identity.ts';

const TIMEOUT_SECONDS = 10;
const METADATA_LIFETIME_MS = 3_600_000;
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Makes the client of one provider. Its metadata is read at the first sign-in and then every hour, so that a provider
 * that is down does not keep the server from starting.
 */
export function createIdentityProvider(settings: IdentityProviderSettings, clock: Clock): IdentityProvider {
  const discover = remember(() => discoverProvider(settings), clock);
  return {
    name: settings.name,
    async begin(request) {
      return openid.buildAuthorizationUrl(await discover(), await authorizationParameters(settings, request));
    },
    async complete(request, callback) {
      return await redeem(await discover(), settings, request, callback);
    },
  };
}

async function discoverProvider(settings: IdentityProviderSettings): Promise<openid.Configuration> {
  const issuer = new URL(settings.issuer);
  const options: openid.DiscoveryRequestOptions = { timeout: TIMEOUT_SECONDS };
  if (issuer.protocol === 'http:' && LOOPBACK.has(issuer.hostname)) options.execute = [openid.allowInsecureRequests];
  try {
    const authentication = await authenticationOf(settings.authentication);
    return await openid.discovery(issuer, settings.clientId, {}, authentication, options);
  } catch (cause) {
    throw unavailable(cause);
  }
}

async function authenticationOf(authentication: ProviderAuthentication): Promise<openid.ClientAuth> {
  if (authentication.method === 'client_secret_basic') return openid.ClientSecretBasic(authentication.secret);
  const key = await importJWK(authentication.key);
  if (key instanceof Uint8Array) throw new Fault('invalid', 'The key at an identity provider must be asymmetric');
  const kid = authentication.key.kid;
  return openid.PrivateKeyJwt(kid === undefined ? key : { key, kid });
}

async function authorizationParameters(
  settings: IdentityProviderSettings,
  request: SignInRequest,
): Promise<Record<string, string>> {
  return {
    redirect_uri: request.redirectUri,
    scope: settings.scope,
    state: request.state,
    nonce: request.nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(request.codeVerifier),
    code_challenge_method: 'S256',
    max_age: String(request.maxAgeSeconds),
    ...(request.fresh ? { prompt: 'login' } : {}),
    ...(request.loginHint === undefined ? {} : { login_hint: request.loginHint }),
    ...(settings.requiredAcr.length > 0 ? { acr_values: settings.requiredAcr.join(' ') } : {}),
  };
}

async function redeem(
  provider: openid.Configuration,
  settings: IdentityProviderSettings,
  request: SignInRequest,
  callback: URLSearchParams,
): Promise<VouchedIdentity> {
  const currentUrl = new URL(request.redirectUri);
  currentUrl.search = callback.toString();
  const checks = {
    expectedState: request.state,
    expectedNonce: request.nonce,
    pkceCodeVerifier: request.codeVerifier,
    maxAge: request.maxAgeSeconds,
    idTokenExpected: true,
  };
  try {
    const tokens = await openid.authorizationCodeGrant(provider, currentUrl, checks);
    return identityFrom(tokens.claims() ?? {}, settings);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    if (cause instanceof TypeError && cause.cause === undefined && !('code' in cause)) throw unavailable(cause);
    throw new Fault('login', 'The answer of the identity provider does not hold', { cause });
  }
}

function unavailable(cause: unknown): Fault {
  return new Fault('transient', 'The identity provider does not answer', { cause });
}

function remember<Value>(read: () => Promise<Value>, clock: Clock): () => Promise<Value> {
  let known: { readonly value: Promise<Value>; readonly until: number } | undefined;
  return async () => {
    if (known === undefined || known.until <= clock.now()) {
      known = { value: read(), until: clock.now() + METADATA_LIFETIME_MS };
    }
    try {
      return await known.value;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
}
