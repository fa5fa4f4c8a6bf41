/** What the stories about instances kept aside need, and how they read. */
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Reading, SubjectOf } from '../../access/grant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';

/** What they need. */
export type AsideDeps = {
  readonly records: RecordStore;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
};

/** Reads of a study, its Tasks and its persons. */
export type AsideReading = Reading<SubjectOf<'clear-aside'>>;
