/** OAuth requests that tests make, well formed or not. */
import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { JWTHeaderParameters, JWTPayload } from 'jose';
import { DEMO_APP, demonstrationKey } from '../../../fixtures/sign-in.ts';

/** A server by its address. */
export type At = { readonly url: string };

/** What a client assertion of `demo-establishment` should hold, and what a test makes of it. */
export type AssertionChanges = {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: Parameters<SignJWT['sign']>[0];
};

/** The client that tests act as. */
export const BACKEND = 'demo-establishment';

/** The Authorization header of a token. */
export function bearerOf(token: string): string {
  return `Bearer ${token}`;
}

/** Redeems a code for demo-app; undefined leaves the verifier out. */
export async function redeem(
  server: At,
  code: string,
  verifier: string | undefined,
  changes: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: DEMO_APP.clientId,
    redirect_uri: DEMO_APP.redirectUri,
    code,
    ...changes,
  });
  if (verifier !== undefined) body.set('code_verifier', verifier);
  return await fetch(`${server.url}/auth/token`, { method: 'POST', body });
}

/** Signs an assertion; a claim or header member that is undefined is left out. */
export async function assertion(server: At, changes: AssertionChanges = {}): Promise<string> {
  const jwk = await demonstrationKey(BACKEND);
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: BACKEND,
    sub: BACKEND,
    aud: `${server.url}/auth/token`,
    iat: now,
    exp: now + 240,
    jti: randomUUID(),
    ...changes.claims,
  };
  const header = { alg: 'ES384', typ: 'JWT', kid: jwk.kid, ...changes.header };
  return await new SignJWT(defined(claims) as JWTPayload)
    .setProtectedHeader(defined(header) as unknown as JWTHeaderParameters)
    .sign(changes.key ?? (await importJWK(jwk, 'ES384')));
}

/** Posts to an endpoint below /auth with a client assertion. */
export async function postAs(
  server: At,
  path: string,
  clientAssertion: string,
  fields: Readonly<Record<string, string>>,
): Promise<Response> {
  const body = new URLSearchParams({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: clientAssertion,
    ...fields,
  });
  return await fetch(`${server.url}/auth${path}`, { method: 'POST', body });
}

/** Asks for a token of the backend client. */
export async function clientCredentials(server: At, clientAssertion: string, scope = 'system/*.rs'): Promise<Response> {
  return await postAs(server, '/token', clientAssertion, { grant_type: 'client_credentials', scope });
}

/** Introspects a token as the backend client. */
export async function introspect(server: At, token: string): Promise<unknown> {
  return await (await postAs(server, '/token/introspection', await assertion(server), { token })).json();
}

function defined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
