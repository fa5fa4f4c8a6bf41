/** What the FHIR door is given: the flows it mounts, and who comes in. */
import type { CapabilityStatement } from '@medplum/fhirtypes';
import type { AffinityDomain } from '../../../profiles/affinity-domain.ts';
import type { Subsets } from '../../../profiles/search/subset.ts';
import type { IsServed } from '../../../profiles/search/used-parameters.ts';
import type { Validate } from '../../../profiles/validation/validate.ts';
import type { clearAside } from '../../flows/aside/clear-aside.ts';
import type { judgeIdentities } from '../../flows/identity/judge-identities.ts';
import type { moveStudy } from '../../flows/aside/move-study.ts';
import type { attempt } from '../../flows/attempt.ts';
import type { breakGlass } from '../../flows/consent/break-glass.ts';
import type { decideReview } from '../../flows/consent/decide-review.ts';
import type { accessHistory } from '../../flows/consent/access-list/access-history.ts';
import type { whoCanAccess } from '../../flows/consent/access-list/who-can-access.ts';
import type { sayConfidentiality } from '../../flows/consent/say-confidentiality.ts';
import type { changeConsent } from '../../flows/consent/change-consent.ts';
import type { recordPaper } from '../../flows/consent/paper/record-paper.ts';
import type { cancelErasure, requestErasure } from '../../flows/erase/request-erasure.ts';
import type { beginExport, cancelExport, exportState } from '../../flows/subject-rights/begin-export.ts';
import type { exportRecord } from '../../flows/subject-rights/export-record.ts';
import type { askAboutData } from '../../flows/subject-rights/ask-about-data.ts';
import type { setAccount } from '../../flows/consent/set-account.ts';
import type { makePresenceCode } from '../../flows/presence/make-code.ts';
import type { askSupport } from '../../flows/support/ask-support.ts';
import type { redeemPresenceCode } from '../../flows/presence/redeem-code.ts';
import type { revokeShare } from '../../flows/share/end-share.ts';
import type { shareItem } from '../../flows/share/share-item.ts';
import type { crossReference } from '../../flows/read/cross-reference.ts';
import type { matchPatients } from '../../flows/read/match-patients.ts';
import type { readHistory } from '../../flows/read/read-history.ts';
import type { readIdentity } from '../../flows/read/read-identity.ts';
import type { readResource } from '../../flows/read/read-resource.ts';
import type { openBinary } from '../../flows/read/open-binary.ts';
import type { searchResources } from '../../flows/read/search-resources.ts';
import type { writeResource, writeTransaction } from '../../flows/write/write-resource.ts';
import type { FindBodyLimit } from '../http/body-limits.ts';
import type { OffsetOf } from '../../../profiles/dicom/date-time.ts';
import type { Identify } from '../http/visit.ts';

/** The door's dependencies. */
export type FhirDeps = {
  readonly identify: Identify;
  /** The FHIR base URL, without a final slash. */
  readonly fhirBase: () => string;
  /** Of the zone of the region, of which a bare day is. */
  readonly offsetOf: OffsetOf;
  /** Asked before a body is read. */
  readonly attempt: ReturnType<typeof attempt>;
  readonly bodyLimit: FindBodyLimit;
  readonly validate: Validate;
  readonly subsets: Subsets;
  readonly affinityDomain: () => AffinityDomain;
  /** Whether patients of the region are numbered under a system. */
  readonly isPatientDomain: (system: string) => boolean;
  readonly capabilityStatement: () => CapabilityStatement;
  /** Whether a search parameter finds every row of its type. */
  readonly isServed: IsServed;
  readonly read: ReturnType<typeof readResource>;
  readonly readIdentity: ReturnType<typeof readIdentity>;
  readonly history: ReturnType<typeof readHistory>;
  readonly search: ReturnType<typeof searchResources>;
  readonly openBinary: ReturnType<typeof openBinary>;
  readonly write: ReturnType<typeof writeResource>;
  readonly writeTransaction: ReturnType<typeof writeTransaction>;
  readonly crossReference: ReturnType<typeof crossReference>;
  readonly matchPatients: ReturnType<typeof matchPatients>;
  readonly breakGlass: ReturnType<typeof breakGlass>;
  readonly decideReview: ReturnType<typeof decideReview>;
  readonly accessHistory: ReturnType<typeof accessHistory>;
  readonly whoCanAccess: ReturnType<typeof whoCanAccess>;
  readonly sayConfidentiality: ReturnType<typeof sayConfidentiality>;
  readonly changeConsent: ReturnType<typeof changeConsent>;
  readonly recordPaper: ReturnType<typeof recordPaper>;
  readonly makePresenceCode: ReturnType<typeof makePresenceCode>;
  readonly askSupport: ReturnType<typeof askSupport>;
  readonly redeemPresenceCode: ReturnType<typeof redeemPresenceCode>;
  readonly shareItem: ReturnType<typeof shareItem>;
  readonly revokeShare: ReturnType<typeof revokeShare>;
  readonly requestErasure: ReturnType<typeof requestErasure>;
  readonly cancelErasure: ReturnType<typeof cancelErasure>;
  readonly setAccount: ReturnType<typeof setAccount>;
  readonly askAboutData: ReturnType<typeof askAboutData>;
  readonly beginExport: ReturnType<typeof beginExport>;
  readonly cancelExport: ReturnType<typeof cancelExport>;
  readonly exportState: ReturnType<typeof exportState>;
  readonly exportRecord: ReturnType<typeof exportRecord>;
  readonly clearAside: ReturnType<typeof clearAside>;
  readonly moveStudy: ReturnType<typeof moveStudy>;
  readonly judgeIdentities: ReturnType<typeof judgeIdentities>;
};
