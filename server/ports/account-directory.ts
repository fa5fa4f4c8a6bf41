/** Which account a person has, told by an identifier that an identity provider vouches for. */
import type { Traits } from '../../profiles/identity/traits.ts';

/** What an account stands for. */
export type AccountKind = 'patient' | 'practitioner';

/** An account: `reference` is `Patient/id` or `Practitioner/id`; `display` is the person's name. */
export type Account = { readonly reference: string; readonly display: string };

/** The port. */
export interface AccountDirectory {
  /**
   * The account that holds an identifier, or undefined: nobody, or a person who may not sign in. Of several patients
   * who bear it, the only one whose traits agree with those that are vouched for.
   */
  find(kind: AccountKind, system: string, value: string, traits?: Traits): Promise<Account | undefined>;
  /** Whether an account (`Patient/id` or `Practitioner/id`) may still sign in: what was given to it dies with it. */
  stands(reference: string): Promise<boolean>;
  /** The resource of an account: of a patient's, the Patient (`Patient/id`) that she is at present. */
  resource(reference: string): Promise<string>;
}
