/** The claims of an id_token as the identity that a provider vouches for. */
import type { Extension } from '@medplum/fhirtypes';
import { EXTENSION } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import { readTraits, type Traits } from '../../../profiles/identity/traits.ts';
import type { PersonIdentifier, VouchedIdentity } from '../../ports/identity-provider.ts';
import type { IdentifierClaim, IdentityProviderSettings } from './settings.ts';

type Claims = Readonly<Record<string, unknown>>;

/**
 * Takes from verified claims what names the person.
 * @throws {Fault} login - no identifier or no `auth_time` is stated
 * @throws {Fault} forbidden - the assurance (`acr`) is not one of those required
 */
export function identityFrom(
  claims: Claims,
  settings: Pick<IdentityProviderSettings, 'identifierClaims' | 'requiredAcr' | 'traits'>,
): VouchedIdentity {
  const acr = typeof claims['acr'] === 'string' ? claims['acr'] : undefined;
  if (settings.requiredAcr.length > 0 && (acr === undefined || !settings.requiredAcr.includes(acr))) {
    throw new Fault('forbidden', 'The sign-in has less assurance than is required', { protocolCode: 'acr' });
  }
  const authTime = claims['auth_time'];
  if (typeof authTime !== 'number' || !Number.isSafeInteger(authTime) || authTime <= 0) {
    throw new Fault('login', 'The identity provider does not say when the person signed in');
  }
  const identifiers = settings.identifierClaims.flatMap((claim) => identifiersOf(claims[claim.claim], claim));
  if (identifiers.length === 0) throw new Fault('login', 'The identity provider does not name the person');
  const traits = settings.traits === true ? traitsOf(claims) : undefined;
  return { identifiers, acr, authTime, ...(traits === undefined ? {} : { traits }) };
}

/** All given names may stand in one claim; the place of birth is a code of INSEE. @see OpenID Connect Core 5.1 */
function traitsOf(claims: Claims): Traits | undefined {
  const [family, given, birthDate] = ['family_name', 'given_name', 'birthdate'].map((name) => claims[name]);
  if (typeof family !== 'string' || typeof given !== 'string' || typeof birthDate !== 'string') return undefined;
  const { gender, birthplace } = claims;
  return readTraits({
    resourceType: 'Patient',
    name: [
      { use: 'official', family, given: given.trim().split(/\s+/) },
      { use: 'usual', given: [given] },
    ],
    birthDate,
    ...(gender === 'female' || gender === 'male' ? { gender } : {}),
    ...(typeof birthplace === 'string' ? { extension: birthPlaceExtension(birthplace) } : {}),
  });
}

function birthPlaceExtension(district: string): Extension[] {
  return [{ url: EXTENSION.birthPlace, valueAddress: { district } }];
}

function identifiersOf(value: unknown, claim: IdentifierClaim): readonly PersonIdentifier[] {
  const identifier = claim.system === undefined ? value : { system: claim.system, value };
  if (!isIdentifier(identifier)) return [];
  return claim.kinds.map((kind) => ({ kind, system: identifier.system, value: identifier.value }));
}

function isIdentifier(value: unknown): value is { readonly system: string; readonly value: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { system, value: text } = value as { readonly system?: unknown; readonly value?: unknown };
  return typeof system === 'string' && system !== '' && typeof text === 'string' && text !== '';
}
