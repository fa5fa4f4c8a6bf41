/** What the region file says of an identity provider, beside its issuer. */
import type { JWK } from 'jose';
import { Fault } from '../../../profiles/fault.ts';
import type { AccountKind } from '../../ports/account-directory.ts';

/**
 * Where an id_token names the person. With `system` the claim is a plain value of that system; without, it is an
 * object of `system` and `value`. `kind` limits the accounts that are looked for.
 */
export type IdentifierClaim = {
  readonly claim: string;
  readonly kinds: readonly AccountKind[];
  readonly system?: string;
};

/** How Passerelle proves who it is there: a private key (private_key_jwt) or a secret (client_secret_basic). */
export type ProviderAuthentication =
  | { readonly method: 'private_key_jwt'; readonly key: JWK }
  | { readonly method: 'client_secret_basic'; readonly secret: string };

/** One provider. `requiredAcr` is empty when any assurance will do. */
export type IdentityProviderSettings = {
  readonly issuer: string;
  readonly name: string;
  readonly clientId: string;
  readonly authentication: ProviderAuthentication;
  readonly scope: string;
  readonly identifierClaims: readonly IdentifierClaim[];
  readonly requiredAcr: readonly string[];
};

type Entry = { readonly issuer: string; readonly [member: string]: unknown };

/**
 * Reads one entry of `identityProviders` in the region file; the secret or key comes apart, as it is in no region file.
 *
 * Members: `name`, `client_id`, `scope` (default `openid`), `identifierClaims`, `requiredAcr`.
 * @throws {Fault} invalid - a member is missing or of a wrong shape
 */
export function parseIdentityProvider(entry: Entry, authentication: ProviderAuthentication): IdentityProviderSettings {
  return {
    issuer: entry.issuer,
    name: textOf(entry, 'name', entry.issuer),
    clientId: textOf(entry, 'client_id'),
    authentication,
    scope: textOf(entry, 'scope', 'openid'),
    identifierClaims: identifierClaimsOf(entry),
    requiredAcr: textsOf(entry['requiredAcr'] ?? [], 'requiredAcr'),
  };
}

function identifierClaimsOf(entry: Entry): readonly IdentifierClaim[] {
  const claims = entry['identifierClaims'];
  if (!Array.isArray(claims) || claims.length === 0) throw wrong('identifierClaims', 'a list of at least one claim');
  return claims.map((claim: unknown) => {
    if (!isRecord(claim)) throw wrong('identifierClaims', 'a list of objects');
    const system = claim['system'];
    const kinds = textsOf(claim['kinds'], 'identifierClaims.kinds').map(kindOf);
    if (kinds.length === 0) throw wrong('identifierClaims.kinds', 'patient, practitioner or both');
    return { claim: textOf(claim, 'claim'), kinds, ...(typeof system === 'string' ? { system } : {}) };
  });
}

function kindOf(text: string): AccountKind {
  if (text === 'patient' || text === 'practitioner') return text;
  throw wrong('identifierClaims.kinds', 'patient or practitioner');
}

function textOf(record: Readonly<Record<string, unknown>>, member: string, fallback?: string): string {
  const value = record[member] ?? fallback;
  if (typeof value !== 'string' || value === '') throw wrong(member, 'a text');
  return value;
}

function textsOf(value: unknown, member: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw wrong(member, 'a list of texts');
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(member: string, expected: string): Fault {
  return new Fault('invalid', `identityProviders: ${member} must be ${expected}`, { expression: member });
}
