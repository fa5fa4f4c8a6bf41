/**
 * Numbers by which a reader finds Patients: those that it is shown with each, whoever else says them. Both stores look
 * up who says them; what that means is said here.
 */
import type { Patient } from '@medplum/fhirtypes';
import { Fault } from '../../profiles/fault.ts';
import type { Criterion, TokenValue } from '../../profiles/search/criterion.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { AnyGrant } from '../access/grant.ts';
import { claimKey, type ClaimKey } from '../ports/claim-key.ts';

/**
 * Of one criterion: most identities that are looked at, most Patients that are named for it, and most Patients of which
 * it is looked at what each is shown with.
 */
export const MOST = { saying: 5_000, named: 500, shown: 1_000 } as const;

/** A whole identifier, its system given or not. */
export type WholeIdentifier = TokenValue & { readonly code: string };

/** What Patients are shown with: one of some identifiers (`undefined`: any), or where negated none of them. */
export type IdentifiersShown = { readonly identifiers: readonly TokenValue[] | undefined; readonly isNegated: boolean };

/**
 * The whole identifiers that a criterion asks for, where not everybody may know them: beside those that everybody
 * knows, which are in the index, it is answered by the identities that say them. Undefined for other criteria.
 */
export function identifiersSaid(
  grant: AnyGrant,
  type: StoredType,
  criterion: PlainLike,
): readonly WholeIdentifier[] | undefined {
  const asked = identifiersAsked(grant, type, criterion);
  if (asked?.kind !== 'token' || asked.negated === true) return undefined;
  const whole = asked.values.filter(hasCode);
  return whole.length === asked.values.length ? whole : undefined;
}

/**
 * What a criterion on identifiers that not everybody may know asks Patients to be shown with, where these are not whole
 * or are negated: it is looked at in each Patient. Undefined for other criteria.
 */
export function identifiersShown(
  grant: AnyGrant,
  type: StoredType,
  criterion: PlainLike,
): IdentifiersShown | undefined {
  const asked = identifiersAsked(grant, type, criterion);
  if (asked === undefined || identifiersSaid(grant, type, criterion) !== undefined) return undefined;
  if (asked.kind === 'missing') return { identifiers: undefined, isNegated: asked.missing };
  return { identifiers: asked.values, isNegated: asked.negated === true };
}

type Asked = Extract<Criterion, { readonly kind: 'token' | 'missing' }>;

/** A criterion, or one of those that a store makes of it. */
type PlainLike = Criterion | { readonly kind: 'condition' | 'or' };

function identifiersAsked(grant: AnyGrant, type: StoredType, criterion: PlainLike): Asked | undefined {
  if (grant.system || type !== 'Patient' || (criterion.kind !== 'token' && criterion.kind !== 'missing'))
    return undefined;
  return criterion.param === 'identifier' ? criterion : undefined;
}

function hasCode(value: TokenValue): value is WholeIdentifier {
  return value.code !== undefined;
}

/**
 * Requires that Patients are few enough to look at what each is shown with.
 * @throws {Fault} too-costly
 */
export function requireFewToShow(patients: number): void {
  if (patients > MOST.shown) throw tooManyShown();
}

/** Whether work was refused because it goes through too much. */
export function isTooCostly(error: unknown): boolean {
  return error instanceof Fault && error.kind === 'too-costly';
}

/** Says that what Patients are shown with is looked at in fewer. */
export function tooManyShown(): Fault {
  const message = 'Too many Patients are looked at for their identifiers; name a whole one, a name or a birth date';
  return new Fault('too-costly', message, { expression: 'identifier' });
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
