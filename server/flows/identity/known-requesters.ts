/** Requesters that were resolved are kept for as long as nothing has changed that says who they are. */
import type { Requester } from '../../access/requester.ts';
import type { CurrentRegion } from '../../config/current-region.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { TokenStore } from '../../ports/token-store.ts';
import type { ProvedIdentity, Resolved } from './resolve-requester.ts';

/** What a token proves; it holds until `expiresAt`, epoch seconds. */
export type ProvedByToken = ProvedIdentity & { readonly expiresAt: number };

type Deps = {
  readonly records: Pick<RecordStore, 'accessVersion'>;
  readonly tokens: Pick<TokenStore, 'accessVersion'>;
  /** Moves when other clients may speak. */
  readonly region: Pick<CurrentRegion, 'version'>;
  readonly clock: Clock;
  readonly resolve: (proved: ProvedIdentity) => Promise<Resolved>;
};

/** `version` is what region and stores said before the requester was resolved. */
type Known = Resolved & { readonly version: string };

/** Requesters that are kept at one time: those who asked last. */
const MOST = 1_000;

/**
 * Makes the way from a token to its requester. `tokenId` is the digest of the token; `prove` reads the token, and is
 * asked whenever anything may have changed since the requester was resolved: a token that was revoked, a role that
 * ended, an account that was switched off, a client that left the region count at the next request. Where a store
 * cannot tell, nothing is kept.
 * @throws {Fault} login, forbidden - as `prove` and resolveRequester do
 */
export function requesterOfToken({ records, tokens, region, clock, resolve }: Deps) {
  const kept = new Map<string, Known>();
  return async (tokenId: string, prove: () => Promise<ProvedByToken>): Promise<Requester> => {
    const version = versionOf(region.version(), tokens.accessVersion(), records.accessVersion());
    const known = kept.get(tokenId);
    if (known !== undefined && known.version === version && clock.now() < known.until) return known.requester;
    kept.delete(tokenId);
    const proved = await prove();
    const { requester, until } = await resolve(proved);
    if (version === undefined) return requester;
    const [oldest] = kept.keys();
    if (kept.size >= MOST && oldest !== undefined) kept.delete(oldest);
    kept.set(tokenId, { requester, until: Math.min(until, proved.expiresAt * 1000), version });
    return requester;
  };
}

function versionOf(...versions: readonly (number | undefined)[]): string | undefined {
  return versions.includes(undefined) ? undefined : versions.join('/');
}
