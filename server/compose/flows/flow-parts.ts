/** What flows are made from. */
import type { IndexDefinitions, Indexer } from '../../../profiles/search/indexer.ts';
import type { Validate } from '../../../profiles/validation/validate.ts';
import type { Config } from '../../config/config.ts';
import type { CurrentRegion } from '../../config/current-region.ts';
import type { CutTrailDeps } from '../../flows/audit/cut-trail.ts';
import type { Log } from '../../log.ts';
import type { AuditTrail } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FrameRenderer } from '../../ports/frame-renderer.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { ErasureKey } from '../../ports/erasure-key.ts';
import type { Mailer } from '../../ports/mailer.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { SearchIndex } from '../../ports/search-index.ts';
import type { TokenStore } from '../../ports/token-store.ts';

/** What flows are made from. */
export type FlowParts = {
  readonly config: Config;
  readonly region: CurrentRegion;
  readonly stores: {
    readonly records: RecordStore;
    readonly trail: AuditTrail;
    readonly tokens: TokenStore;
    readonly images: ImageStore;
    readonly renderer: FrameRenderer;
    readonly jobs: JobQueue;
    readonly index: SearchIndex;
    readonly anchoring?: Pick<CutTrailDeps, 'anchoredFrom'>;
  };
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly indexDefinitions: IndexDefinitions;
  readonly validate: Validate;
  readonly publicUrl: () => string;
  readonly log: Log;
  /** Without it nothing is mailed. */
  readonly mailer?: Mailer | undefined;
  /** Without it no erasure is certified, and nobody who was erased is known again. */
  readonly erasureKey?: ErasureKey | undefined;
};
