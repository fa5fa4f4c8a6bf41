/** The identity provider at which a person signs in; the server itself holds no passwords. */
import type { Traits } from '../../profiles/identity/traits.ts';
import type { AccountKind } from './account-directory.ts';

/** What binds one sign-in to its answer. `maxAgeSeconds` is how old a sign-in there may be. */
export type SignInRequest = {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly maxAgeSeconds: number;
  /** Whether the person must show again who they are, session or not. */
  readonly fresh: boolean;
  /** Who is expected to sign in, as the provider may offer it first. @see OpenID Connect Core 3.1.2.1 */
  readonly loginHint?: string;
};

/** An identifier of the person and the kind of account that may hold it. */
export type PersonIdentifier = { readonly kind: AccountKind; readonly system: string; readonly value: string };

/** What the provider vouches for. `identifiers` holds at least one; `authTime` is epoch seconds. */
export type VouchedIdentity = {
  readonly identifiers: readonly PersonIdentifier[];
  readonly acr: string | undefined;
  readonly authTime: number;
  /** Names, birth date and sex, of a provider that vouches for them. */
  readonly traits?: Traits;
};

/** The port. */
export interface IdentityProvider {
  /** Name for the person who chooses between providers. */
  readonly name: string;
  /**
   * Gives the address to which the browser goes.
   * @throws {Fault} transient - the provider does not answer
   */
  begin(request: SignInRequest): Promise<URL>;
  /**
   * Checks the answer and redeems its code. `callback` is the query of the redirection.
   * @throws {Fault} login - the answer or its token does not hold, or says too little
   * @throws {Fault} forbidden - the person signed in with less assurance than is asked
   * @throws {Fault} transient - the provider does not answer
   */
  complete(request: SignInRequest, callback: URLSearchParams): Promise<VouchedIdentity>;
}
