/** Which account a person has, told by an identifier that an identity provider vouches for. */
import type { Traits } from '../../profiles/identity/traits.ts';

/** What an account stands for. */
export type AccountKind = 'patient' | 'practitioner';

/**
 * An account: `reference` is `Patient/id`, `Practitioner/id`, or of who represents a patient `RelatedPerson/id`;
 * `display` is the person's name, `represents` tells of the patient.
 */
export type Account = {
  readonly reference: string;
  readonly display: string;
  readonly represents?: { readonly name: string; readonly birthDate?: string };
};

/** An identifier that an identity provider vouches for. */
export type VouchedNumber = { readonly system: string; readonly value: string };

/** For whom it is asked who somebody represents: an application, at an address, and the traits vouched for with it. */
export type Asking = { readonly clientId: string; readonly address: string; readonly traits?: Traits | undefined };

/** The port. */
export interface AccountDirectory {
  /**
   * The account that holds an identifier, or undefined: nobody, or a person who may not sign in. Of several patients
   * who bear it, the only one whose traits agree with those that are vouched for.
   */
  find(kind: AccountKind, system: string, value: string, traits?: Traits): Promise<Account | undefined>;
  /**
   * The accounts by which the bearer of some identifiers represents others before the law, one for each of them. Their
   * names are to be shown: each of them reads that in the trail, where it is before this answers.
   */
  represented(numbers: readonly VouchedNumber[], asking: Asking): Promise<readonly Account[]>;
  /** Whether an account may still sign in: what was given to it dies with it. */
  stands(reference: string): Promise<boolean>;
  /** The resource of an account: of a patient's, the Patient (`Patient/id`) that she is at present. */
  resource(reference: string): Promise<string>;
  /** Of whom an account is: the Patient (`Patient/id`) that she is at present, or whom she represents. */
  patient(reference: string): Promise<string | undefined>;
}
