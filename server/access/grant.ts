/**
 * Grants: what may be read, as predicates that stores evaluate in every statement. They are instances of classes with
 * private state that this file alone makes, so that a read without one neither compiles nor runs: a copy, a literal or
 * a structured clone lacks that state.
 */
import type { Purpose } from './purpose.ts';
import type { Requester } from './requester.ts';
import { principal, type Principal } from './right.ts';

/** Makers have it: whoever reaches a constructor through an instance does not. */
const MAKING = Symbol('making');

const NO_PRINCIPALS: readonly Principal[] = Object.freeze([]);

/** What a requester may see. `now` is epoch milliseconds; principals hold each name once. */
class Grant {
  readonly #principals: readonly Principal[];
  readonly #purpose: Purpose;
  readonly #now: number;

  constructor(key: symbol, principals: readonly Principal[], purpose: Purpose, now: number) {
    refuseUnless(key === MAKING);
    this.#principals = Object.freeze([...principals]);
    this.#purpose = purpose;
    this.#now = now;
    Object.freeze(this);
  }

  static is(value: unknown): value is Grant {
    return typeof value === 'object' && value !== null && #principals in value;
  }

  get system(): false {
    return false;
  }

  get principals(): readonly Principal[] {
    return this.#principals;
  }

  get purpose(): Purpose {
    return this.#purpose;
  }

  get now(): number {
    return this.#now;
  }
}

/** What the server itself may see, for a reason of {@link SystemReason}. `now` is epoch milliseconds. */
class SystemGrant {
  readonly #reason: SystemReason;
  readonly #now: number;

  constructor(key: symbol, reason: SystemReason, now: number) {
    refuseUnless(key === MAKING);
    this.#reason = reason;
    this.#now = now;
    Object.freeze(this);
  }

  static is(value: unknown): value is SystemGrant {
    return typeof value === 'object' && value !== null && #reason in value;
  }

  get system(): true {
    return true;
  }

  get principals(): readonly Principal[] {
    return NO_PRINCIPALS;
  }

  get reason(): SystemReason {
    return this.#reason;
  }

  get now(): number {
    return this.#now;
  }
}

// Nobody gives all grants another answer.
for (const { prototype } of [Grant, SystemGrant]) Object.freeze(prototype);

export type { Grant, SystemGrant };

/** A predicate of either kind, as the statements of stores take it. */
export type AnyGrant = Grant | SystemGrant;

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
  return new Grant(MAKING, [...new Set(principalsOf(requester))], requester.purpose, now);
}

/** The grant of the same requester at another moment. */
export function grantAt(grant: Grant, now: number): Grant {
  return new Grant(MAKING, grant.principals, grant.purpose, now);
}

/** Makes a grant for the server's own work. */
export function systemGrant(reason: SystemReason, now: number): SystemGrant {
  return new SystemGrant(MAKING, reason, now);
}

/**
 * What adapters ask at their port.
 * @throws {TypeError} the value is not a grant that this file made for a requester
 */
export function requireGrant(value: Grant): void {
  refuseUnless(Grant.is(value));
}

/**
 * The same of a grant of the server itself.
 * @throws {TypeError} the value is not a system grant that this file made
 */
export function requireSystemGrant(value: SystemGrant): void {
  refuseUnless(SystemGrant.is(value));
}

function refuseUnless(isGenuine: boolean): void {
  if (!isGenuine) throw new TypeError('Only server/access makes grants');
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
