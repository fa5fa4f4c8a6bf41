/** Sign-ins under way: kept between the redirection to the identity provider and the person's consent. */
import type { Account } from '../../../ports/account-directory.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { TokenStore } from '../../../ports/token-store.ts';
import { LIFETIME } from '../provider.ts';
import { tokenDigest } from '../tokens/token-digest.ts';

/** What the identity provider said of a sign-in. `authTime` is epoch seconds. */
type SaidOfSignIn = { readonly authTime: number; readonly acr?: string };

/** The person, once it has answered, and of several records one was chosen. `represents` tells for whom she acts. */
export type SignedInPerson = SaidOfSignIn & Omit<Account, 'reference'> & { readonly account: string };

/** A person of several records: her own, and of those whom she represents. */
export type ChoosingPerson = SaidOfSignIn & { readonly accounts: readonly Account[] };

/** What binds the answer to the question. `provider` is the index of the identity provider among those of its time. */
export type PendingSignIn = {
  readonly uid: string;
  readonly provider: number;
  readonly providerName: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly maxAgeSeconds: number;
  readonly fresh: boolean;
};

/** The store of both; ids are digested. */
export type PendingSignIns = {
  open(state: string, pending: PendingSignIn): Promise<void>;
  /** The interaction that a state belongs to, without using it up. */
  uidOf(state: string): Promise<string | undefined>;
  /** Takes the sign-in of a state: once. */
  take(state: string): Promise<PendingSignIn | undefined>;
  keepPerson(uid: string, person: SignedInPerson): Promise<void>;
  person(uid: string): Promise<SignedInPerson | undefined>;
  /** Between which records a person is to choose. */
  keepChoice(uid: string, choosing: ChoosingPerson): Promise<void>;
  choice(uid: string): Promise<ChoosingPerson | undefined>;
  /** Where a person is led to who signs in to our own pages. */
  keepAddress(uid: string, address: string): Promise<void>;
  address(uid: string): Promise<string | undefined>;
};

/** Makes it over the TokenStore. */
export function pendingSignIns(tokens: TokenStore, clock: Clock): PendingSignIns {
  const now = () => Math.floor(clock.now() / 1000);
  const save = async (model: string, id: string, payload: Readonly<Record<string, unknown>>) =>
    await tokens.upsert(model, tokenDigest(id), { payload, expiresAt: now() + LIFETIME.Interaction }, {});
  const read = async (model: string, id: string) => {
    const found = await tokens.find(model, tokenDigest(id));
    return found?.expiresAt === undefined || found.expiresAt <= now() ? undefined : found;
  };
  return {
    open: async (state, pending) => await save('SignIn', state, pending),
    uidOf: async (state) => (await read('SignIn', state))?.payload['uid'] as string | undefined,
    async take(state) {
      const found = await read('SignIn', state);
      if (found === undefined || !(await tokens.consume('SignIn', tokenDigest(state), now()))) return undefined;
      return found.payload as PendingSignIn;
    },
    keepPerson: async (uid, person) => await save('SignedInPerson', uid, person),
    person: async (uid) => (await read('SignedInPerson', uid))?.payload as SignedInPerson | undefined,
    keepChoice: async (uid, choosing) => await save('SignInChoice', uid, choosing),
    choice: async (uid) => (await read('SignInChoice', uid))?.payload as ChoosingPerson | undefined,
    keepAddress: async (uid, address) => await save('SignInAddress', uid, { address }),
    address: async (uid) => (await read('SignInAddress', uid))?.payload['address'] as string | undefined,
  };
}
