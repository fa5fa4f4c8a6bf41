/** What a JSON Schema cannot say of the clients of a region: keys that verify, scopes that mean something. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { PAGES_CLIENT_ID } from '../../profiles/codes.ts';
import { isResourceScope, parseScope, type ScopeContext } from '../access/scope.ts';
import type { Region, RegionClient, RegionKey } from './region-model.ts';

/** Key ids with this prefix belong to the published demonstration keys. */
export const DEMONSTRATION_KEY_PREFIX = 'demonstration-';

// Members that hold the secret part of an RSA, EC, OKP or symmetric key (RFC 7518 section 6, RFC 8037).
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** What clients may ask for beside FHIR scopes. @see SMART App Launch 2.2, Scopes and Launch Context */
const OTHER_SCOPES = ['openid', 'fhirUser', 'offline_access', 'launch/patient'];

/** RS384 asks for RSA of at least 2048 bits. @see RFC 7518 section 3.3 */
const LEAST_RSA_BITS = 2_048;

/** Lists every rule that a client breaks, as `place reason`. */
export function checkClient(region: Region, client: RegionClient, place: string): string[] {
  const errors: string[] = [];
  const isConfidential = client.token_endpoint_auth_method === 'private_key_jwt';
  const actsAlone = client.grant_types.includes('client_credentials');
  if (isConfidential && client.jwks === undefined)
    errors.push(`${place} authenticates by private_key_jwt and needs jwks`);
  if (actsAlone && !isConfidential)
    errors.push(`${place} uses client_credentials and must authenticate by private_key_jwt`);
  if (actsAlone && client.organization === undefined)
    errors.push(`${place} uses client_credentials and needs an organization`);
  if (client.grant_types.includes('authorization_code') && (client.redirect_uris ?? []).length === 0) {
    errors.push(`${place} uses authorization_code and needs redirect_uris`);
  }
  if (client.client_id === PAGES_CLIENT_ID) errors.push(`${place}/client_id is how the server's own pages are called`);
  const keys = client.jwks?.keys ?? [];
  return [
    ...errors,
    ...checkScopes(client, `${place}/scope`),
    ...keys.flatMap((key, index) => checkKey(region, key, `${place}/jwks/keys/${index}`)),
  ];
}

function checkScopes({ scope, grant_types: grants }: RegionClient, place: string): string[] {
  const usable: readonly ScopeContext[] = [
    ...(grants.includes('client_credentials') ? (['system'] as const) : []),
    ...(grants.includes('authorization_code') ? (['patient', 'user'] as const) : []),
  ];
  return scope.split(' ').flatMap((text, index) => {
    if (text === '') return [];
    const wrong = refusalOf(text, usable);
    return wrong === undefined ? [] : [`${place} (word ${index + 1}) ${wrong}`];
  });
}

function refusalOf(text: string, usable: readonly ScopeContext[]): string | undefined {
  if (!isResourceScope(text))
    return OTHER_SCOPES.includes(text)
      ? undefined
      : `is no scope; beside those of FHIR there are ${OTHER_SCOPES.join(', ')}`;
  const parsed = parseScope(text);
  if (parsed === undefined) return 'is no scope of SMART, as patient/*.rs, or names a type that is not served';
  return usable.includes(parsed.context) ? undefined : `is a ${parsed.context} scope, which no grant type of it gives`;
}

function checkKey(region: Region, key: RegionKey, place: string): string[] {
  const errors: string[] = [];
  if (PRIVATE_MEMBERS.some((member) => member in key)) errors.push(`${place} holds a private key`);
  if (key.kid.startsWith(DEMONSTRATION_KEY_PREFIX) && !region.demonstration) {
    errors.push(`${place} is a demonstration key, which is public`);
  }
  return errors.length > 0 || isVerifying(key)
    ? errors
    : [`${place} is no key of RS384 (RSA, 2048 bits or more) or ES384 (EC, P-384)`];
}

function isVerifying(key: RegionKey): boolean {
  const read = readKey(key);
  if (read === undefined) return false;
  const { namedCurve, modulusLength = 0 } = read.asymmetricKeyDetails ?? {};
  const algorithm = key['alg'];
  if (key.kty === 'EC') return namedCurve === 'secp384r1' && (algorithm === undefined || algorithm === 'ES384');
  return key.kty === 'RSA' && modulusLength >= LEAST_RSA_BITS && (algorithm === undefined || algorithm === 'RS384');
}

function readKey(key: RegionKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}
