/** The flows by which somebody else sees something for a time: presence codes, shares, and tickets of support. */
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { GuardDeps } from '../guard.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { makePresenceCode } from '../presence/make-code.ts';
import { redeemPresenceCode } from '../presence/redeem-code.ts';
import type { TriesDeps } from '../presence/tries.ts';
import { askSupport } from '../support/ask-support.ts';
import { revokeShare } from './end-share.ts';
import { shareItem } from './share-item.ts';

/** What they need. */
export type GivingDeps = GuardDeps & TriesDeps & { readonly indexer: Indexer; readonly region: RegionIndex };

/** Makes them; days as {@link redeemPresenceCode} and {@link shareItem} count them. */
export function givingFlows(
  deps: GivingDeps,
  { presenceDays, shareDays }: { readonly presenceDays: number; readonly shareDays: number },
) {
  return {
    makePresenceCode: makePresenceCode(deps),
    redeemPresenceCode: redeemPresenceCode({ ...deps, days: presenceDays }),
    askSupport: askSupport(deps),
    shareItem: shareItem({ ...deps, days: shareDays }),
    revokeShare: revokeShare(deps),
  };
}
