/**
 * How Passerelle proves who it is at an identity provider. The region file names a file that holds the secret or the
 * private key; neither stands in the region file itself.
 */
import type { webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { importJWK, type JWK } from 'jose';
import type { ClientAuth } from 'openid-client';
import { ClientSecretBasic, ClientSecretPost, PrivateKeyJwt } from 'openid-client';
import { Fault } from '../../../profiles/fault.ts';

/** The methods, by their names in RFC 7591 section 2: a secret that is sent, or a signature by a private key. */
export type ProviderAuthentication =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly secret: string }
  | { readonly method: 'private_key_jwt'; readonly key: webcrypto.CryptoKey; readonly kid?: string };

/** What an entry of the region file says of it. */
export type AuthenticationEntry = { readonly issuer: string; readonly [member: string]: unknown };

const METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;

/**
 * Reads the secret or key of an entry: `client_secret_file` or `private_key_file` (a JSON Web Key with its `alg`),
 * relative to `folder`. `token_endpoint_auth_method` may be left out.
 * @throws {Fault} invalid - there is none or both, it cannot be read, it does not suit the method, or it stands in the
 * region file
 */
export async function readAuthentication(entry: AuthenticationEntry, folder: string): Promise<ProviderAuthentication> {
  for (const member of ['client_secret', 'private_key', 'jwk', 'jwks'])
    if (member in entry) throw wrong(entry, `${member} does not belong in the region file: name a file that holds it`);
  const { client_secret_file: secretFile, private_key_file: keyFile } = entry;
  const [file, ...others] = [secretFile, keyFile].filter((one) => one !== undefined);
  if (typeof file !== 'string' || file === '' || others.length > 0)
    throw wrong(entry, 'either client_secret_file or private_key_file must name a file');
  const isSecret = file === secretFile;
  const method = entry['token_endpoint_auth_method'] ?? (isSecret ? 'client_secret_basic' : 'private_key_jwt');
  const known = METHODS.find((one) => one === method);
  if (known === undefined || isSecret !== (known !== 'private_key_jwt'))
    throw wrong(entry, `token_endpoint_auth_method must be one of ${METHODS.join(', ')}, and suit the file`);
  const text = await readSecret(entry, isSecret ? 'client_secret_file' : 'private_key_file', resolve(folder, file));
  if (known === 'private_key_jwt') return await keyIn(entry, text);
  // RFC 6749 appendix A.2.
  if (!/^[\x20-\x7e]+$/.test(text)) throw wrong(entry, 'client_secret_file must hold one line of ASCII characters');
  return { method: known, secret: text };
}

/** The authentication as openid-client takes it. */
export function clientAuthOf(authentication: ProviderAuthentication): ClientAuth {
  switch (authentication.method) {
    case 'client_secret_basic':
      return ClientSecretBasic(authentication.secret);
    case 'client_secret_post':
      return ClientSecretPost(authentication.secret);
    case 'private_key_jwt': {
      const { key, kid } = authentication;
      return PrivateKeyJwt(kid === undefined ? key : { key, kid });
    }
  }
}

async function readSecret(entry: AuthenticationEntry, member: string, path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw wrong(entry, `${member} ${path} cannot be read`, cause);
  });
  // Editors and secret stores end a file with a line break that is no part of the secret.
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw wrong(entry, `${member} ${path} is empty`);
  return secret;
}

async function keyIn(entry: AuthenticationEntry, text: string): Promise<ProviderAuthentication> {
  const jwk = parsed(text);
  if (jwk?.d === undefined || jwk.alg === undefined || !/^(RS|PS|ES)(256|384|512)$|^Ed/.test(jwk.alg))
    throw wrong(entry, 'private_key_file must hold a private, asymmetric JSON Web Key with its alg');
  const key = await importJWK(jwk).catch((cause: unknown) => {
    throw wrong(entry, 'private_key_file holds no key that fits its alg', cause);
  });
  return {
    method: 'private_key_jwt',
    key: key as webcrypto.CryptoKey,
    ...(jwk.kid === undefined ? {} : { kid: jwk.kid }),
  };
}

function parsed(text: string): JWK | undefined {
  try {
    return JSON.parse(text) as JWK;
  } catch {
    return undefined;
  }
}

/** A Fault about an entry; it names no secret. */
function wrong({ issuer }: AuthenticationEntry, reason: string, cause?: unknown): Fault {
  return new Fault('invalid', `identityProviders: ${issuer}: ${reason}`, { cause });
}
