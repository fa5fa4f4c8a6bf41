/** What the region file says of an identity provider, beside its issuer. */
import { Fault } from '../../../profiles/fault.ts';
import type { AccountKind } from '../../ports/account-directory.ts';
import type { AuthenticationEntry, ProviderAuthentication } from './authentication.ts';

/**
 * Where an id_token names the person. With `system` the claim is a plain value of that system; without, it is an
 * object of `system` and `value`. `kind` limits the accounts that are looked for.
 */
export type IdentifierClaim = {
  readonly claim: string;
  readonly kinds: readonly AccountKind[];
  readonly system?: string;
};

/**
 * One provider. `discovery` is the address of its metadata where that is not the usual one; `requiredAcr` is empty when
 * any assurance will do; `userinfo` says whether claims are also asked for at its UserInfo endpoint, `traits` whether
 * it vouches for names, birth date and sex.
 */
export type IdentityProviderSettings = {
  readonly issuer: string;
  readonly discovery?: string;
  readonly name: string;
  readonly clientId: string;
  readonly authentication: ProviderAuthentication;
  readonly scope: string;
  readonly identifierClaims: readonly IdentifierClaim[];
  readonly requiredAcr: readonly string[];
  readonly userinfo?: boolean;
  readonly traits?: boolean;
};

/** Every member of an entry. One that is misspelt would leave out what it demands. */
const MEMBERS = [
  'issuer',
  'discovery',
  'name',
  'client_id',
  'token_endpoint_auth_method',
  'client_secret_file',
  'private_key_file',
  'scope',
  'identifierClaims',
  'requiredAcr',
  'userinfo',
  'traits',
];
const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];

/**
 * Reads one entry of `identityProviders` in the region file; the secret or key comes apart, as it is in no region file.
 *
 * Members: `issuer`, `discovery` (default: the usual address below the issuer), `name`, `client_id`, `scope` (default
 * `openid`), `identifierClaims`, `requiredAcr`, `userinfo` and `traits` (default false), and those of
 * authentication.ts.
 * @throws {Fault} invalid - a member is missing, unknown or of a wrong shape
 */
export function parseIdentityProvider(
  entry: AuthenticationEntry,
  authentication: ProviderAuthentication,
): IdentityProviderSettings {
  const unknown = Object.keys(entry).find((member) => !MEMBERS.includes(member));
  if (unknown !== undefined) throw wrong(unknown, `one of ${MEMBERS.join(', ')}`);
  const { discovery } = entry;
  return {
    issuer: addressOf(entry.issuer, 'issuer'),
    ...(discovery === undefined ? {} : { discovery: discoveryOf(discovery) }),
    userinfo: flagOf(entry, 'userinfo'),
    traits: flagOf(entry, 'traits'),
    name: textOf(entry, 'name', entry.issuer),
    clientId: textOf(entry, 'client_id'),
    authentication,
    scope: textOf(entry, 'scope', 'openid'),
    identifierClaims: identifierClaimsOf(entry),
    requiredAcr: textsOf(entry['requiredAcr'] ?? [], 'requiredAcr'),
  };
}

/** A secret or a code that goes there must not be read on the way. */
function addressOf(value: unknown, member: string): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url));
  if (typeof value !== 'string' || !isSafe) throw wrong(member, 'an https address');
  return value;
}

/** Whether an address is on this machine, where plain HTTP is allowed. */
export function isLoopback({ hostname }: URL): boolean {
  return LOOPBACK.includes(hostname);
}

function discoveryOf(value: unknown): string {
  const address = addressOf(value, 'discovery');
  if (!new URL(address).pathname.includes('/.well-known/')) throw wrong('discovery', 'below a /.well-known/');
  return address;
}

function identifierClaimsOf(entry: AuthenticationEntry): readonly IdentifierClaim[] {
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

function flagOf(entry: AuthenticationEntry, member: string): boolean {
  const value = entry[member] ?? false;
  if (typeof value === 'boolean') return value;
  throw wrong(member, 'true or false');
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
