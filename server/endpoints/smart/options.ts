/** What the authorization server is given, and what it tells. */
import type { RegionClient } from '../../config/region-model.ts';
import type { AccountDirectory } from '../../ports/account-directory.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IdentityProvider } from '../../ports/identity-provider.ts';
import type { TokenStore } from '../../ports/token-store.ts';
import type { Site } from '../pages/site.ts';
import type { AuthorizationKeys } from './keys.ts';

/** A sign-in, for the audit trail. `account` is a reference; `address` is the peer's. */
export type SignInEvent = {
  readonly subject: 'person' | 'client';
  readonly outcome: 'success' | 'failure';
  readonly clientId: string | undefined;
  readonly address: string;
  readonly account?: string;
  readonly display?: string;
  readonly acr?: string;
  /** Epoch seconds. */
  readonly authTime?: number;
  /** Why it failed; without identifiers. */
  readonly reason?: string;
};

/** The dependencies. With several identity providers the person chooses one. */
export type AuthorizationServerOptions = {
  /** Origin under which browsers and clients reach the server, without a final slash; read at the first request. */
  readonly publicUrl: () => string;
  /** The clients of the region as they are registered now. */
  readonly clients: () => readonly RegionClient[];
  /** Where persons sign in now. */
  readonly identityProviders: () => readonly IdentityProvider[];
  readonly accounts: AccountDirectory;
  readonly tokens: TokenStore;
  readonly keys: AuthorizationKeys;
  readonly clock: Clock;
  /** What its pages say of the server. */
  readonly site: Site;
  /** Records a sign-in. Nobody is signed in when it throws. */
  readonly onSignIn?: (event: SignInEvent) => Promise<void>;
  /** Told of errors that the answer hides. */
  readonly onError?: (error: unknown) => void;
};

/** The options once the address is known. */
export type BoundOptions = Omit<AuthorizationServerOptions, 'publicUrl'> & {
  readonly publicUrl: string;
  readonly issuer: string;
  readonly fhirBase: string;
};

/** Fixes the addresses. */
export function bindOptions(options: AuthorizationServerOptions): BoundOptions {
  const publicUrl = options.publicUrl();
  return { ...options, publicUrl, issuer: `${publicUrl}/auth`, fhirBase: `${publicUrl}/fhir` };
}
