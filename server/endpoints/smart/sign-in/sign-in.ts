/** A person's sign-in at the identity provider: the way there and the way back. */
import { randomBytes } from 'node:crypto';
import { Fault, toFault } from '../../../../profiles/fault.ts';
import type { Account } from '../../../ports/account-directory.ts';
import type { IdentityProvider, SignInRequest, VouchedIdentity } from '../../../ports/identity-provider.ts';
import type { BoundOptions, SignInEvent } from '../options.ts';
import type { PendingSignIn, PendingSignIns, SignedInPerson } from './pending-sign-ins.ts';

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

/**
 * Redeems the provider's answer and finds the account. The sign-in is recorded, whatever comes of it.
 * @throws {Fault} login - the answer does not belong to this interaction, does not hold, or nobody is known by it
 * @throws {Fault} forbidden - the assurance is too low
 */
export async function completeSignIn(
  options: BoundOptions,
  pending: PendingSignIns,
  interaction: { readonly uid: string; readonly clientId: string; readonly address: string },
  callback: URLSearchParams,
): Promise<SignedInPerson> {
  const event = { subject: 'person', clientId: interaction.clientId, address: interaction.address } as const;
  try {
    const person = await personBehind(options, pending, interaction.uid, callback);
    await record(options, { ...event, outcome: 'success', ...person });
    return person;
  } catch (error) {
    await record(options, { ...event, outcome: 'failure', reason: toFault(error).message });
    throw error;
  }
}

async function personBehind(
  options: BoundOptions,
  pending: PendingSignIns,
  uid: string,
  callback: URLSearchParams,
): Promise<SignedInPerson> {
  const state = callback.get('state') ?? '';
  const signIn = await pending.take(state);
  if (signIn === undefined || signIn.uid !== uid)
    throw new Fault('login', 'The answer belongs to no sign-in of this browser');
  const provider = providerOf(options, signIn.provider);
  // A reload may have put another provider in its place: what one sent is shown to no other.
  if (provider.name !== signIn.providerName) throw new Fault('login', 'The answer is that of a former provider');
  const identity = await provider.complete(requestOf(options, signIn, state), callback);
  const account = await findAccount(options, identity);
  if (account === undefined)
    throw new Fault('login', 'Nobody is known by this identity', { protocolCode: 'unknown-person' });
  return {
    account: account.reference,
    display: account.display,
    authTime: identity.authTime,
    ...(identity.acr === undefined ? {} : { acr: identity.acr }),
  };
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
