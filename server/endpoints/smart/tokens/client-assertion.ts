/**
 * What SMART asks of a client assertion beyond RFC 7523; oidc-provider checks signature, `iss`, `aud` and `jti`.
 * @see SMART App Launch 2.2, Client Authentication: Asymmetric
 */
import { errors } from 'oidc-provider';

/** Header members that would bring a key, an encoding or an extension of the sender's choice. */
const REFUSED_HEADERS = ['jku', 'x5u', 'jwk', 'x5c', 'crit', 'zip', 'b64'];

/** Longest life of an assertion, in seconds. */
export const ASSERTION_LIFETIME_SECONDS = 300;

/** Difference between clocks that is let pass, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 5;

const MAX_JTI_LENGTH = 255;

/**
 * Refuses an assertion that lives too long or brings its own key. The keys are those registered inline, so a `jku` is
 * never the registered one.
 * @throws {errors.InvalidClientAuth}
 */
export function checkAssertion(
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>>,
  nowSeconds: number,
): void {
  const refused = REFUSED_HEADERS.find((name) => Object.hasOwn(header, name));
  if (refused !== undefined) throw new errors.InvalidClientAuth(`header member ${refused} is not accepted`);
  const { exp, jti, sub, iss } = claims;
  if (typeof exp !== 'number' || exp > nowSeconds + ASSERTION_LIFETIME_SECONDS + CLOCK_TOLERANCE_SECONDS) {
    throw new errors.InvalidClientAuth('exp must be at most 5 minutes ahead');
  }
  if (typeof jti !== 'string' || jti.length > MAX_JTI_LENGTH) {
    throw new errors.InvalidClientAuth(`jti must be a text of at most ${MAX_JTI_LENGTH} characters`);
  }
  if (sub !== iss) throw new errors.InvalidClientAuth('sub and iss must both be the client_id');
}
