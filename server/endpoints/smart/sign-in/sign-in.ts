/** A person's sign-in at the identity provider: the way there and the way back. */
import { randomBytes } from 'node:crypto';
import { Fault, toFault } from '../../../../profiles/fault.ts';
import type { Account } from '../../../ports/account-directory.ts';
import type { IdentityProvider, SignInRequest, VouchedIdentity } from '../../../ports/identity-provider.ts';
import type { BoundOptions, SignInEvent } from '../options.ts';
import type { ChoosingPerson, PendingSignIn, PendingSignIns, SignedInPerson } from './pending-sign-ins.ts';

/** How old a sign-in at the provider may be when the application does not say: a working day. */
const MAX_AGE_SECONDS = 12 * 3600;

/** What the application asks of the sign-in (parameters of its authorization request). */
export type SignInDemand = {
  readonly uid: string;
  readonly maxAge: unknown;
  readonly prompt: unknown;
  readonly loginHint?: string;
};

/** The address to which every provider sends its answer. */
export function callbackUrl(options: BoundOptions): string {
  return `${options.issuer}/signed-in`;
}

/**
 * Opens a sign-in at one provider and gives the address to send the browser to.
 * @throws {Fault} transient - the provider does not answer
 */
export async function beginSignIn(
  options: BoundOptions,
  pending: PendingSignIns,
  provider: number,
  demand: SignInDemand,
): Promise<URL> {
  const signIn: PendingSignIn = {
    uid: demand.uid,
    provider,
    providerName: providerOf(options, provider).name,
    nonce: randomText(),
    codeVerifier: randomText(),
    maxAgeSeconds: typeof demand.maxAge === 'string' ? Number(demand.maxAge) : MAX_AGE_SECONDS,
    fresh: typeof demand.prompt === 'string' && demand.prompt.split(' ').includes('login'),
  };
  const state = randomText();
  await pending.open(state, signIn);
  const { loginHint } = demand;
  const hinted = loginHint === undefined ? {} : { loginHint };
  return await providerOf(options, provider).begin({ ...requestOf(options, signIn, state), ...hinted });
}

/** A sign-in under way, as its event tells it. */
export type SigningIn = { readonly uid: string; readonly clientId: string; readonly address: string };

/**
 * Redeems the provider's answer and finds the accounts: the person's own, and those of whom she represents. The sign-in
 * is recorded, whatever comes of it; of several accounts when one is chosen ({@link chosenPerson}).
 * @throws {Fault} login - the answer does not belong to this interaction, does not hold, or nobody is known by it
 * @throws {Fault} forbidden - the assurance is too low
 */
export async function completeSignIn(
  options: BoundOptions,
  pending: PendingSignIns,
  signingIn: SigningIn,
  callback: URLSearchParams,
): Promise<ChoosingPerson> {
  try {
    return await personBehind(options, pending, signingIn, callback);
  } catch (error) {
    await record(options, { ...eventOf(signingIn), outcome: 'failure', reason: toFault(error).message });
    throw error;
  }
}

/** The person by the account that she signs in to: recorded, and nobody is signed in where that fails. */
export async function chosenPerson(
  options: BoundOptions,
  signingIn: SigningIn,
  { authTime, acr }: ChoosingPerson,
  { reference: account, display, represents }: Account,
): Promise<SignedInPerson> {
  const said = { authTime, ...(acr === undefined ? {} : { acr }) };
  await record(options, { ...eventOf(signingIn), outcome: 'success', account, display, ...said });
  return { account, display, ...said, ...(represents === undefined ? {} : { represents }) };
}

function eventOf({ clientId, address }: SigningIn): Pick<SignInEvent, 'subject' | 'clientId' | 'address'> {
  return { subject: 'person', clientId, address };
}

async function personBehind(
  options: BoundOptions,
  pending: PendingSignIns,
  signingIn: SigningIn,
  callback: URLSearchParams,
): Promise<ChoosingPerson> {
  const state = callback.get('state') ?? '';
  const signIn = await pending.take(state);
  if (signIn === undefined || signIn.uid !== signingIn.uid)
    throw new Fault('login', 'The answer belongs to no sign-in of this browser');
  const provider = providerOf(options, signIn.provider);
  // A reload may have put another provider in its place: what one sent is shown to no other.
  if (provider.name !== signIn.providerName) throw new Fault('login', 'The answer is that of a former provider');
  const identity = await provider.complete(requestOf(options, signIn, state), callback);
  const accounts = await accountsOf(options, signingIn, identity);
  if (accounts.length === 0)
    throw new Fault('login', 'Nobody is known by this identity', { protocolCode: 'unknown-person' });
  const { authTime, acr } = identity;
  return { accounts, authTime, ...(acr === undefined ? {} : { acr }) };
}

/** A professional comes as that alone: her token carries neither her own record nor those of whom she represents. */
async function accountsOf(
  options: BoundOptions,
  { clientId, address }: SigningIn,
  identity: VouchedIdentity,
): Promise<readonly Account[]> {
  const asking = { clientId, address, traits: identity.traits };
  const own = await findAccount(options, identity);
  if (own?.reference.startsWith('Practitioner/') === true) return [own];
  const numbers = identity.identifiers.filter(({ kind }) => kind === 'patient');
  const represented = await options.accounts.represented(numbers, asking);
  return [...(own === undefined ? [] : [own]), ...represented];
}

async function findAccount(options: BoundOptions, identity: VouchedIdentity): Promise<Account | undefined> {
  for (const { kind, system, value } of identity.identifiers) {
    const account = await options.accounts.find(kind, system, value, identity.traits);
    if (account !== undefined) return account;
  }
  return undefined;
}

function requestOf(options: BoundOptions, signIn: PendingSignIn, state: string): SignInRequest {
  const { nonce, codeVerifier, maxAgeSeconds, fresh } = signIn;
  return { redirectUri: callbackUrl(options), state, nonce, codeVerifier, maxAgeSeconds, fresh };
}

function providerOf(options: BoundOptions, index: number): IdentityProvider {
  const provider = options.identityProviders()[index];
  if (provider === undefined) throw new Fault('not-found', 'There is no such identity provider');
  return provider;
}

async function record(options: BoundOptions, event: SignInEvent): Promise<void> {
  await options.onSignIn?.(event);
}

function randomText(): string {
  return randomBytes(32).toString('base64url');
}
