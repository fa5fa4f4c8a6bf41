/**
 * Numbers by which a reader finds Patients: those that it is shown with each, whoever else says them. Both stores look
 * up who says them; what that means is said here.
 */
import type { Patient } from '@medplum/fhirtypes';
import type { Criterion, TokenValue } from '../../profiles/search/criterion.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { AnyGrant } from '../access/grant.ts';
import { claimKey, type ClaimKey } from '../ports/claim-key.ts';

/** Most identities that are looked at for the numbers of one criterion, and most Patients that are named for it. */
export const MOST = { saying: 5_000, named: 500 } as const;

/** A whole identifier, its system given or not. */
export type WholeIdentifier = TokenValue & { readonly code: string };

/**
 * How a criterion on identifiers of Patients is answered under a grant:
 * - `said`: besides by the index, which has what everybody may know, by the identities that say these;
 * - `shown`: by what each Patient is shown with, for whatever has no identifier of these (`undefined`: any);
 * - `shown`, not negated: the same for one that has.
 */
export type IdentifiersAsked =
  | { readonly by: 'said'; readonly identifiers: readonly WholeIdentifier[] }
  | { readonly by: 'shown'; readonly identifiers: readonly TokenValue[] | undefined; readonly isNegated: boolean };

/** Tells how a criterion is answered; undefined where it is none on identifiers that not everybody may know. */
export function identifiersAsked(
  grant: AnyGrant,
  type: StoredType,
  criterion: Criterion,
): IdentifiersAsked | undefined {
  if (grant.system || type !== 'Patient' || !('param' in criterion) || criterion.param !== 'identifier')
    return undefined;
  if (criterion.kind === 'missing') return { by: 'shown', identifiers: undefined, isNegated: criterion.missing };
  if (criterion.kind !== 'token') return undefined;
  const { values, negated: isNegated = false } = criterion;
  const whole = values.flatMap(({ code, ...value }) => (code === undefined ? [] : [{ ...value, code }]));
  if (!isNegated && whole.length === values.length) return { by: 'said', identifiers: whole };
  return { by: 'shown', identifiers: values, isNegated };
}

/** Whether a Patient, as its reader sees it, bears one of some identifiers; any where they are undefined. */
export function bears(json: string, asked: readonly TokenValue[] | undefined): boolean {
  const { identifier = [] } = JSON.parse(json) as Patient;
  if (asked === undefined) return identifier.length > 0;
  return asked.some(({ system, code }) =>
    identifier.some(
      (one) => (code === undefined || one.value === code) && (system === undefined || (one.system ?? '') === system),
    ),
  );
}

/** The claims of the identities that identifiers name in their domains: of many that say one, it is the one. */
export function namingClaims(identifiers: readonly WholeIdentifier[]): readonly ClaimKey[] {
  return identifiers.flatMap(({ system, code }) => (system === undefined ? [] : [claimKey.identity(system, code)]));
}
