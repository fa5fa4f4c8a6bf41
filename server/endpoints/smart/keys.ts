/** The keys of the authorization server: made once, kept by the one who starts it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

/** Private keys for id_tokens, and secrets that sign cookies (the first signs, all verify). */
export type AuthorizationKeys = {
  readonly jwks: { readonly keys: readonly JWK[] };
  readonly cookieKeys: readonly string[];
};

/** Makes new keys: RS256, which SMART demands, and ES256. */
export async function generateAuthorizationKeys(): Promise<AuthorizationKeys> {
  const keys = await Promise.all([generateKey('RS256'), generateKey('ES256')]);
  return { jwks: { keys }, cookieKeys: [randomBytes(32).toString('base64url')] };
}

async function generateKey(alg: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: randomUUID(), alg, use: 'sig' };
}
