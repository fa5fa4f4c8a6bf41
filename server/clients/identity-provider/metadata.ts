/** What a provider says of itself, beside what the region file asks. @see OpenID Connect Discovery 1.0 section 3 */
import type { ServerMetadata } from 'openid-client';
import type { IdentityProviderSettings } from './settings.ts';

type Asked = Pick<IdentityProviderSettings, 'authentication' | 'requiredAcr' | 'scope' | 'userinfo'>;

/** What metadata that leave it out stand for. */
const USUAL_AUTHENTICATION = ['client_secret_basic'];

/** Where the metadata do not allow what is asked, one a line. What they do not say is not held against them. */
export function contradictions(said: ServerMetadata, asked: Asked): readonly string[] {
  const { authentication, requiredAcr, scope, userinfo } = asked;
  const { acr_values_supported: acrs, scopes_supported: scopes, code_challenge_methods_supported: challenges } = said;
  const lacks = (list: unknown, wanted: readonly string[]): boolean =>
    Array.isArray(list) && !wanted.some((one) => list.includes(one));
  const found: readonly (readonly [boolean, string])[] = [
    [
      lacks(said.token_endpoint_auth_methods_supported ?? USUAL_AUTHENTICATION, [authentication.method]),
      `it does not accept ${authentication.method}`,
    ],
    [lacks(challenges, ['S256']), 'it does not know PKCE by S256'],
    [requiredAcr.length > 0 && lacks(acrs, requiredAcr), `it never states ${requiredAcr.join(' or ')}`],
    ...scope.split(' ').map((one) => [lacks(scopes, [one]), `it has no scope ${one}`] as const),
    [userinfo === true && said.userinfo_endpoint === undefined, 'it has no UserInfo endpoint'],
    [said.jwks_uri === undefined, 'it publishes no keys'],
  ];
  return found.filter(([isWrong]) => isWrong).map(([, text]) => text);
}
