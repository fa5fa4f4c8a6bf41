/** The discovery document of SMART: what works here, nothing else. @see SMART App Launch 2.2, Conformance */
import type { Context } from 'koa';
import { SUPPORTED_SCOPES } from './tokens/granted-scopes.ts';

/** Path of the document, below the FHIR base. */
export const SMART_CONFIGURATION_PATH = '/fhir/.well-known/smart-configuration';

/** Builds the document; every address is absolute. */
export function smartConfiguration(issuer: string): Readonly<Record<string, string | readonly string[]>> {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/token/introspection`,
    revocation_endpoint: `${issuer}/token/revocation`,
    grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token'],
    response_types_supported: ['code'],
    scopes_supported: SUPPORTED_SCOPES,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    capabilities: [
      'launch-standalone',
      'authorize-post',
      'client-public',
      'client-confidential-asymmetric',
      'sso-openid-connect',
      'context-standalone-patient',
      'permission-offline',
      'permission-patient',
      'permission-user',
      'permission-v1',
      'permission-v2',
    ],
  };
}

/** Answers a request for the document: JSON whatever the Accept header, for scripts of any origin. */
export function sendSmartConfiguration(ctx: Context, issuer: string): void {
  ctx.set({ 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=300' });
  if (ctx.method === 'OPTIONS') {
    ctx.set({
      'Access-Control-Allow-Methods': 'GET',
      'Access-Control-Allow-Headers': ctx.get('Access-Control-Request-Headers'),
    });
    ctx.status = 204;
    return;
  }
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
    ctx.status = 405;
    ctx.set('Allow', 'GET, HEAD, OPTIONS');
    return;
  }
  ctx.body = smartConfiguration(issuer);
}
