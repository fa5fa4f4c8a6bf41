/** The clients of the region file as oidc-provider wants them. */
import type { ClientMetadata, ResponseType } from 'oidc-provider';
import type { RegionClient } from '../../config/region-model.ts';

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** The metadata of one client. Its `scope` is left out: wildcards are beyond a plain comparison. */
export function clientMetadata(client: RegionClient): ClientMetadata {
  const redirectUris = [...(client.redirect_uris ?? [])];
  const hasCode = client.grant_types.includes('authorization_code');
  return {
    client_id: client.client_id,
    client_name: client.name,
    application_type: redirectUris.every(isHttps) ? 'web' : 'native',
    token_endpoint_auth_method: client.token_endpoint_auth_method,
    grant_types: [...client.grant_types],
    response_types: hasCode ? (['code'] satisfies ResponseType[]) : [],
    redirect_uris: redirectUris,
    ...(client.jwks === undefined ? {} : { jwks: { keys: client.jwks.keys.map((key) => ({ ...key })) } }),
  };
}

/** Scopes that a client may ask for. */
export function registeredScopes(client: RegionClient): readonly string[] {
  return client.scope.split(' ').filter((scope) => scope !== '');
}

/**
 * Whether a script of this origin may speak to the token endpoint for a client: the origins of its redirect URIs,
 * with any port on a loopback address.
 */
export function isOriginOf(origin: string, redirectUris: readonly string[]): boolean {
  const asked = URL.parse(origin);
  if (asked === null || asked.origin === 'null') return false;
  return redirectUris.some((uri) => {
    const registered = URL.parse(uri);
    if (registered === null || registered.protocol !== asked.protocol) return false;
    if (LOOPBACK.has(registered.hostname)) return registered.hostname === asked.hostname;
    return registered.origin === asked.origin;
  });
}

function isHttps(uri: string): boolean {
  return URL.parse(uri)?.protocol === 'https:';
}
