/** oidc-provider, configured as the authorization server of SMART App Launch and SMART Backend Services. */
import { errors, Provider } from 'oidc-provider';
import type { ClientMetadata, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { RegionClient } from '../../config/region-model.ts';
import type { BoundOptions } from './options.ts';
import { checkAssertion, CLOCK_TOLERANCE_SECONDS } from './tokens/client-assertion.ts';
import { grantableScope, OIDC_SCOPES, patientInContext } from './tokens/granted-scopes.ts';
import { oidcAdapter } from './tokens/oidc-adapter.ts';
import { providerErrors } from './sign-in/pages.ts';
import { clientMetadata, isOriginOf, registeredScopes } from './registered-clients.ts';

/** Lifetimes in seconds. A refresh token ends with its grant, at most 90 days after the consent. */
export const LIFETIME = {
  AccessToken: 1800,
  ClientCredentials: 300,
  AuthorizationCode: 60,
  IdToken: 600,
  Interaction: 900,
  Session: 900,
  RefreshToken: 90 * 86_400,
  Grant: 90 * 86_400,
} as const;

/** Names of the cookies; with TLS they carry the prefixes that bind them to this host. @see RFC 6265bis 4.1.3 */
export function cookieNames(isSecure: boolean): { session: string; interaction: string; resume: string } {
  const [host, secure] = isSecure ? ['__Host-', '__Secure-'] : ['', ''];
  return {
    session: `${host}passerelle_session`,
    interaction: `${secure}passerelle_interaction`,
    resume: `${secure}passerelle_resume`,
  };
}

/** Makes the provider. */
export function createProvider(options: BoundOptions): Provider {
  const provider = new Provider(options.issuer, configurationOf(options));
  // The mount sets the forwarded headers itself, from the public address.
  provider.proxy = true;
  provider.ReplayDetection.unique = (issuer: string, jti: string, expiresAt: number) =>
    options.tokens.once(JSON.stringify(['client_assertion', issuer, jti]), expiresAt, secondsOf(options));
  provider.on('server_error', (_ctx, error) => options.onError?.(error));
  return provider;
}

function configurationOf(options: BoundOptions): Configuration {
  return {
    adapter: oidcAdapter(options.tokens, options.clock, (id) => registered(options, id)),
    jwks: { keys: options.keys.jwks.keys.map((key) => ({ ...key })) },
    ...protocolOf(),
    ...tokensOf(options),
    features: featuresOf(options),
    cookies: {
      keys: [...options.keys.cookieKeys],
      names: cookieNames(options.publicUrl.startsWith('https:')),
      long: { signed: true, httpOnly: true, sameSite: 'lax' },
      short: { signed: true, httpOnly: true, sameSite: 'lax' },
    },
    interactions: { url: (_ctx, interaction) => `/auth/interaction/${interaction.uid}` },
    extraParams: { aud: (_ctx: KoaContextWithOIDC, aud: string | undefined) => checkAudience(aud, options.fhirBase) },
    findAccount: async (_ctx, accountId) => {
      // Whoever has left the directory is nobody's account: no code and no refresh token is redeemed for it.
      if (!(await options.accounts.stands(accountId))) return undefined;
      const fhirUser = async () => `${options.fhirBase}/${await options.accounts.resource(accountId)}`;
      return { accountId, claims: async () => ({ sub: accountId, fhirUser: await fhirUser() }) };
    },
    loadExistingGrant: (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
    },
    clientBasedCORS: (_ctx, origin, client) => isOriginOf(origin, client.redirectUris ?? []),
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims, header) => checkAssertion(claims, header, secondsOf(options)),
    renderError: providerErrors(options.site),
    fetch: () => Promise.reject(new Error('The authorization server makes no outbound requests')),
  };
}

function protocolOf(): Configuration {
  return {
    routes: { authorization: '/authorize' },
    responseTypes: ['code'],
    scopes: OIDC_SCOPES.filter((scope) => scope !== 'fhirUser'),
    claims: { openid: ['sub', 'auth_time', 'acr'], fhirUser: ['fhirUser'] },
    clientAuthMethods: ['private_key_jwt', 'none'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['RS384', 'ES384'],
      idTokenSigningAlgValues: ['RS256', 'ES256'],
    },
    pkce: { required: () => true },
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    allowOmittingSingleRegisteredRedirectUri: false,
  };
}

function tokensOf({ accounts }: BoundOptions): Configuration {
  return {
    ttl: { ...LIFETIME },
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client, code) =>
      client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    extraTokenClaims: async (ctx, token) => {
      if (token.kind !== 'AccessToken') return undefined;
      const source = ctx.oidc.entities.AuthorizationCode ?? ctx.oidc.entities.RefreshToken;
      const patient = patientInContext([...token.scopes], await accounts.patient(token.accountId));
      return {
        ...(source?.authTime === undefined ? {} : { auth_time: source.authTime }),
        ...(patient === undefined ? {} : { patient }),
      };
    },
  };
}

function featuresOf(options: BoundOptions): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientAuthMethod !== 'none' },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => options.fhirBase,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource, client) => {
        if (resource !== options.fhirBase) throw new errors.InvalidTarget(`resource must be ${options.fhirBase}`);
        const known = clientNamed(options, client.clientId);
        return { scope: scopeAt(ctx, known === undefined ? [] : registeredScopes(known)) };
      },
    },
  };
}

function clientNamed({ clients }: BoundOptions, id: string): RegionClient | undefined {
  return clients().find(({ client_id }) => client_id === id);
}

/** A client as it is registered now. */
function registered(options: BoundOptions, id: string): ClientMetadata | undefined {
  const client = clientNamed(options, id);
  return client === undefined ? undefined : clientMetadata(client);
}

/** At a request the scope parameter is cut down in place; afterwards it is what the code or refresh token holds. */
function scopeAt(ctx: KoaContextWithOIDC, registered: readonly string[]): string {
  const { entities, params, route } = ctx.oidc;
  const source = entities.AuthorizationCode ?? entities.RefreshToken;
  if (source !== undefined) return source.scope ?? '';
  if (params === undefined) throw new errors.InvalidRequest('parameters are missing');
  const contexts = route === 'token' ? (['system'] as const) : (['patient', 'user'] as const);
  const scope = grantableScope(params['scope'] as string | undefined, registered, contexts);
  params['scope'] = scope;
  return scope;
}

function checkAudience(aud: string | undefined, fhirBase: string): void {
  if (aud === fhirBase || aud === `${fhirBase}/`) return;
  throw new errors.InvalidRequest(`aud must be ${fhirBase}`);
}

function secondsOf(options: BoundOptions): number {
  return Math.floor(options.clock.now() / 1000);
}
