/** A study while it is maintained, and what its maintenance needs. */
import type { DocumentReference, ImagingStudy } from '@medplum/fhirtypes';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Clock } from '../../ports/clock.ts';
import type { QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import type { Found } from '../internal-reads.ts';
import type { StoredStudy } from './study-content.ts';

/** What the maintenance of studies needs. */
export type MaintainStudyDeps = {
  readonly records: RecordStore;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly region: RegionIndex;
  /** IANA name: dates of DICOM without an offset are read in it. */
  readonly timeZone: string;
  readonly repositoryUniqueId: string;
  readonly retrieveAETitle: string;
  /** The server's base URL, without a final slash. */
  readonly publicUrl: () => string;
  /** The Endpoint (`Endpoint/id`) by which images are retrieved. */
  readonly endpoint: string;
  /** Told of each instance that is put aside and why, in words that name no patient: a person must look at it. */
  readonly alert?: (aside: QuarantinedInstance, why: string) => void;
};

/** A study as it stands while it is maintained. */
export type StudyAtHand = {
  readonly study: StoredStudy;
  readonly imagingStudy: ImagingStudy;
  /** All of its identity, superseded and hidden ones too. */
  readonly manifests: readonly Found<DocumentReference>[];
  /** Whether the patient may see images: a report that counts for the study is validated. */
  readonly released: boolean;
  /** Whether its rows come from others than those who are their authors. */
  readonly isOtherOrigin: boolean;
  readonly now: number;
};
