/** What of identities is said anew, and what working it out needs. */
import type { IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { StandingIdentity } from './identities.ts';
import type { RegionIndex } from './region-index.ts';

/** What placing needs. */
export type PlaceDeps = { readonly records: RecordStore; readonly indexer: Indexer; readonly region: RegionIndex };

/** An identity that is said anew: as it stands, if it does, and as it is to be. */
export type IdentityChange = {
  readonly content: IdentityContent;
  readonly standing: StandingIdentity | undefined;
};
