/** Which of the requested scopes can be granted: by grammar, by kind of flow, by the client, by the person. */
import { errors } from 'oidc-provider';
import { isResourceScope, narrowScopes, parseScope } from '../../../access/scope.ts';
import type { ScopeContext } from '../../../access/scope.ts';

/** Scopes that OpenID Connect and OAuth define; they are registered at a client like any other. */
export const OIDC_SCOPES: readonly string[] = ['openid', 'fhirUser', 'offline_access'];

/** The launch scope that asks for the patient who signs in, or whom who signs in represents. */
export const LAUNCH_PATIENT = 'launch/patient';

/** Every form of scope that works here, for the discovery documents. */
export const SUPPORTED_SCOPES: readonly string[] = [
  ...OIDC_SCOPES,
  LAUNCH_PATIENT,
  'patient/*.cruds',
  'user/*.cruds',
  'system/*.cruds',
];

/**
 * Cuts a scope parameter down to what the client registered; scopes that are not known here are left out.
 * @throws {errors.InvalidScope} a FHIR scope is malformed, names an unknown type or belongs to the other flow, or
 *   nothing is left
 */
export function grantableScope(
  scope: string | undefined,
  registered: readonly string[],
  contexts: readonly ScopeContext[],
): string {
  const requested = (scope ?? '').split(' ').filter((text) => text !== '');
  for (const text of requested.filter(isResourceScope)) {
    const parsed = parseScope(text);
    if (parsed === undefined) throw new errors.InvalidScope('scope is malformed or names a type not served here', text);
    if (!contexts.includes(parsed.context)) throw new errors.InvalidScope('scope does not fit this flow', text);
  }
  const kept = narrowScopes(requested, registered);
  if (kept.length === 0)
    throw new errors.InvalidScope('none of the requested scopes is registered for this client', scope ?? '');
  return kept.join(' ');
}

/**
 * What an account can be given of scopes: a professional has no patient context of the own, as there is no picker.
 */
export function scopesOfAccount(scopes: readonly string[], account: string): readonly string[] {
  if (isOfOnePatient(account)) return scopes;
  return scopes.filter((scope) => scope !== LAUNCH_PATIENT && parseScope(scope)?.context !== 'patient');
}

/** The patient in context: of whom the account is, where a scope asks for it. The logical id of `Patient/id`. */
export function patientInContext(scopes: readonly string[], patient: string | undefined): string | undefined {
  const isAsked = scopes.some((scope) => scope === LAUNCH_PATIENT || parseScope(scope)?.context === 'patient');
  return isAsked ? patient?.slice('Patient/'.length) : undefined;
}

function isOfOnePatient(account: string): boolean {
  return /^(Patient|RelatedPerson)\//.test(account);
}
