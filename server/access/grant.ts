/**
 * The Grant: what a requester may see, as a predicate that stores evaluate in every statement. Only this file makes
 * one, so a read without a grant does not compile.
 */
import type { Purpose } from './purpose.ts';
import type { Requester } from './requester.ts';
import { principal, type Principal } from './right.ts';

declare const granted: unique symbol;

/** A predicate over rows. `now` is epoch milliseconds; principals hold each name once. */
export type Grant = {
  readonly [granted]: true;
  readonly system: boolean;
  readonly principals: readonly Principal[];
  readonly purpose: Purpose | 'SYSTEM';
  readonly now: number;
};

/** A grant of the server itself: it sees everything, and only for a reason of {@link SystemReason}. */
export type SystemGrant = Grant & { readonly system: true; readonly reason: SystemReason };

/** The closed list of reasons for which the server reads on its own account. */
export type SystemReason =
  | 'resolve-identity'
  | 'resolve-directory'
  | 'maintain-study'
  | 'publish-report'
  | 'change-consent'
  | 'break-glass'
  | 'load-region'
  | 'sweep-images'
  | 'erase-study'
  | 'record-viewing';

/** Makes the grant of a requester at a moment. */
export function grantFor(requester: Requester, now: number): Grant {
  const principals = [...new Set(principalsOf(requester))];
  return Object.freeze({ system: false, principals, purpose: requester.purpose, now }) as unknown as Grant;
}

/** Makes a grant for the server's own work. */
export function systemGrant(reason: SystemReason, now: number): SystemGrant {
  const grant = { system: true, reason, principals: [], purpose: 'SYSTEM', now };
  return Object.freeze(grant) as unknown as SystemGrant;
}

function principalsOf(requester: Requester): readonly Principal[] {
  switch (requester.kind) {
    case 'practitioner':
      return [
        principal.practitioner(requester.practitioner),
        principal.breakGlass(requester.practitioner),
        ...requester.roles.filter((role) => role.radiologist).map((role) => principal.radiologists(role.organization)),
      ];
    case 'patient':
      return [principal.patient(requester.person)];
    case 'establishment':
      return [principal.establishment(requester.organization)];
  }
}
