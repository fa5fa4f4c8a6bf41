/**
 * What a decision about a write rested on. A store looks at it again inside the transaction of the plan: what changed
 * meanwhile refuses the plan, which is then built, and decided, anew.
 */
import { Fault } from '../../profiles/fault.ts';
import type { PatientState } from './decide.ts';
import {
  identityOf,
  type PersonKey,
  type RepresentativeRequester,
  type Requester,
  type StoredTokenKey,
} from './requester.ts';
import { principal, type Principal } from './right.ts';

/** A switch of a person that keeps others from writing. */
export type Switch = keyof PatientState;

/** One thing that a warrant rests on. Times (`at`) are those of the decision, epoch milliseconds. */
export type Basis =
  /** The access token has not been revoked and has not expired. */
  | { readonly kind: 'token'; readonly token: StoredTokenKey; readonly at: number }
  /**
   * Who wrote is still an account: `Practitioner/id`, `RelatedPerson/id` or `Person/id` stands, `Organization/id` has
   * not ended.
   */
  | { readonly kind: 'account'; readonly reference: string }
  /** The row (`Type/id`) stands and is of this person. */
  | { readonly kind: 'row'; readonly row: string; readonly person: PersonKey }
  /** One of the principals has a right to the item (`Type/id`): its source, or somebody whom it names. */
  | {
      readonly kind: 'right';
      readonly person: PersonKey;
      readonly item: string;
      readonly principals: readonly Principal[];
      readonly at: number;
    }
  /** These switches of the person are off. */
  | { readonly kind: 'state'; readonly person: PersonKey; readonly off: readonly Switch[] };

/** That who asks may still ask: token and account, and of who represents a patient that she still does. */
export function requesterBases(requester: Requester, at: number): readonly Basis[] {
  const { accessToken } = requester;
  return [
    ...(accessToken === undefined ? [] : [{ kind: 'token', token: accessToken, at } as const]),
    { kind: 'account', reference: accountOf(requester) },
    ...(requester.kind === 'representative' ? [representingBasis(requester, at)] : []),
  ];
}

function representingBasis({ person, related: item }: RepresentativeRequester, at: number): Basis {
  return { kind: 'right', person, item, principals: [principal.representative(item)], at };
}

function accountOf(requester: Requester): string {
  switch (requester.kind) {
    case 'practitioner':
      return requester.practitioner;
    case 'patient':
      return identityOf(requester.patient);
    case 'representative':
      return requester.related;
    case 'establishment':
      return requester.organization;
  }
}

/** A right as far as a basis asks. Times are epoch milliseconds. */
export type HeldRight = { readonly principal: string; readonly from: number; readonly to: number };

/** What a store knows of what warrants rest on, as its transaction sees it. */
export type BasisFacts = {
  /** When the access token expires, epoch seconds; undefined when there is none. */
  readonly tokenExpiry: (token: StoredTokenKey) => number | undefined;
  /** The row under `Type/id`; `isActive` is false where the resource says that it has ended. */
  readonly account: (
    reference: string,
  ) => { readonly person: string | undefined; readonly isActive: boolean } | undefined;
  readonly stateOf: (person: PersonKey) => PatientState;
  /** The rights to one item of a person. */
  readonly rightsTo: (person: PersonKey, item: string) => readonly HeldRight[];
};

/**
 * Checks one basis.
 * @throws {Fault} login - the token or the account has ended: building the plan again changes nothing
 * @throws {Fault} conflict - something else is not as it was read
 */
export function requireBasis(basis: Basis, facts: BasisFacts): void {
  switch (basis.kind) {
    case 'token':
      return requireToken(facts.tokenExpiry(basis.token), basis.at);
    case 'account':
      return requireAccount(basis.reference, facts);
    case 'row':
      return requireSame(facts.account(basis.row)?.person === basis.person);
    case 'right':
      return requireSame(
        facts
          .rightsTo(basis.person, basis.item)
          .some(
            ({ principal, from, to }) =>
              from <= basis.at && basis.at < to && basis.principals.some((one) => one === principal),
          ),
      );
    case 'state': {
      const state = facts.stateOf(basis.person);
      return requireSame(basis.off.every((name) => !state[name]));
    }
  }
}

function requireToken(expiry: number | undefined, at: number): void {
  if (expiry === undefined || expiry * 1000 <= at)
    throw new Fault('login', 'The token is unknown, expired or revoked', { protocolCode: 'invalid_token' });
}

function requireAccount(reference: string, facts: BasisFacts): void {
  const found = facts.account(reference);
  const person = found?.person;
  const isOff = person !== undefined && facts.stateOf(person as PersonKey).accountOff;
  if (isOff || !isAccount(reference.split('/')[0] ?? '', found))
    throw new Fault('login', 'The account is not known any more');
}

/** An establishment may be known by the settings of a door alone, and a Patient that has ended stays an account. */
function isAccount(type: string, found: ReturnType<BasisFacts['account']>): boolean {
  if (type === 'Organization') return found?.isActive !== false;
  return type === 'Person' ? found !== undefined : found?.isActive === true;
}

function requireSame(holds: boolean): void {
  if (!holds) throw new Fault('conflict', 'What the write rests on has changed meanwhile');
}
