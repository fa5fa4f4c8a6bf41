/**
 * A write as data. A plan is applied whole or not at all, and once: its id is kept, so a plan that is sent again
 * after an unknown result changes nothing and gets the first receipt.
 */
import type { AuditEvent } from '@medplum/fhirtypes';
import type { Label } from '../../profiles/confidentiality.ts';
import type { NamedTeam } from '../../profiles/consent/giving/named-team.ts';
import type { RowIndex } from '../../profiles/search/indexer.ts';
import type { SearchQuery } from '../../profiles/search/query.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { PatientState } from '../access/decide.ts';
import type { Grant } from '../access/grant.ts';
import type { PersonKey } from '../access/requester.ts';
import type { Origin } from '../access/rights-of.ts';
import type { ClaimKey, ClaimStem } from './claim-key.ts';
import type { BlobRef } from './image-store.ts';
import type { JobKey, JobRequest } from './job-queue.ts';

/**
 * The largest number of entries of one plan: all its parts but the preconditions together, what is erased counted one
 * by one; and of its preconditions.
 */
export const MAX_PLAN_ENTRIES = 2_000;

/**
 * One resource to write. The store gives it its next version and stamps `meta`. Type, id, sort key, parent and size are
 * bounded (bounds.ts).
 */
export type Put = Label & {
  readonly type: StoredType;
  readonly id: string;
  /**
   * JSON object of the type, with the id of the row or none. The store writes `meta.versionId` and `meta.lastUpdated`.
   */
  readonly resource: object & { readonly resourceType: string };
  readonly index: RowIndex;
  /** Epoch milliseconds; lists are sorted by it, latest first, then by id. */
  readonly sort: number;
  /** The person the row is about; undefined for the directory. */
  readonly person?: PersonKey;
  /**
   * The identity that the row is filed under: `Patient/id` of the Patient that it is by itself. Doors show the Patient
   * of the person instead, wherever the row refers to it.
   */
  readonly subject?: string;
  readonly released: boolean;
  /** Whom the row comes from; by default that of the row that stands. What rights it gives follows (rights-of.ts). */
  readonly origin?: Origin;
  /** Takes the place of those of the origin, whichever it is. */
  readonly ownServices?: readonly string[];
  /** Takes the place of that of the origin. */
  readonly team?: NamedTeam;
  /** `Type/id` of the item that a part belongs to; nothing else has one. */
  readonly parent?: string;
  /** Bytes that belong to the row (the content of a Binary). */
  readonly blob?: BlobRef;
};

/** One received SOP instance. Metadata is its DICOM JSON, without pixel data. */
export type InstanceRow = {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  readonly transferSyntaxUID: string;
  readonly instanceNumber: number | undefined;
  readonly seriesNumber: number | undefined;
  readonly blob: BlobRef;
  /** Length in bytes of preamble and file meta information before the data set. */
  readonly dataSetOffset: number;
  /** SHA-256 of the data set, hexadecimal: two instances are the same when it is. */
  readonly dataSetDigest: string;
  readonly metadata: string;
  /** `Organization/id` of the establishment that sent it first. */
  readonly source: string;
  /** Others that sent it, too, in the order in which they did: stores know them, plans do not say them. */
  readonly furtherSources?: readonly FurtherSource[];
  readonly person: PersonKey;
  /** The identity that it is filed under: `Patient/id`, as {@link Put} has it. */
  readonly subject: string;
  /** The identity that it was filed under before its study was moved. */
  readonly movedFrom?: string;
};

/**
 * An establishment that sent the same instance again. `subject` is the identity of which it did; what earlier servers
 * wrote has none, and is of whoever the study is of.
 */
export type FurtherSource = Pick<InstanceRow, 'source' | 'movedFrom'> & Partial<Pick<InstanceRow, 'subject'>>;

/**
 * Why a received instance is kept aside: its SOP Instance UID or its study stands already for something else, its
 * patient is numbered by another establishment, or it was filed and cannot be read. `other-establishment` is of
 * earlier servers: the study stood for another establishment.
 */
export type QuarantineReason =
  'other-data-set' | 'other-patient' | 'foreign-issuer' | 'unreadable' | 'other-establishment';

/**
 * A received instance that contradicts what stands, or tells nothing that can be read. Its bytes are kept for those
 * who must clear it up, and no grant shows it. It is filed under the identity by which its sender knows the patient,
 * where that is one of the sender's own.
 */
export type QuarantinedInstance = Pick<
  InstanceRow,
  'studyInstanceUID' | 'sopInstanceUID' | 'blob' | 'dataSetDigest' | 'source'
> & {
  readonly reason: QuarantineReason;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** `Patient/id` of the identity, as it was made. */
  readonly subject?: string;
  /** Whoever that identity is now: stores move it with joins. */
  readonly person?: PersonKey;
};

/** What tells an instance that is kept aside from any other. */
export type AsideName = Pick<QuarantinedInstance, 'sopInstanceUID' | 'dataSetDigest' | 'source'>;

/**
 * What is removed as if it had never been: rows with every version of them, their search values, access and rights,
 * former versions of rows that stay, instances, what is kept aside, claims by key and jobs in whatever state. What is
 * absent is no error.
 */
export type Erasure = {
  readonly rows?: readonly { readonly type: StoredType; readonly id: string }[];
  /** Rows whose former versions alone are removed, after the puts: what a put replaces is one, a deletion is none. */
  readonly history?: readonly { readonly type: StoredType; readonly id: string }[];
  /** SOP Instance UIDs. */
  readonly instances?: readonly string[];
  readonly quarantined?: readonly AsideName[];
  readonly claims?: readonly ClaimKey[];
  /** Every claim whose key begins so. */
  readonly claimsUnder?: readonly ClaimStem[];
  readonly jobs?: readonly JobKey[];
};

/** What must be true for a plan to apply. A broken one rejects the whole plan. */
export type Precondition =
  /** The row stands at this version. @throws {Fault} version-conflict */
  | { readonly kind: 'version'; readonly type: StoredType; readonly id: string; readonly version: number }
  /**
   * No such row stands; where `deletion` says so, what is left of one is its deletion of that version, or nothing (0).
   * @throws {Fault} conflict
   */
  | { readonly kind: 'absent'; readonly type: StoredType; readonly id: string; readonly deletion?: number }
  /** The claim is held, by this value. @throws {Fault} conflict */
  | { readonly kind: 'claimed'; readonly key: ClaimKey; readonly value: string }
  /** The instance stands as it was read: its identity, its bytes, its sources. @throws {Fault} conflict */
  | ({ readonly kind: 'filed' } & FiledInstance)
  /** The instance is kept aside. @throws {Fault} conflict */
  | ({ readonly kind: 'kept-aside' } & AsideName)
  /** No row that the grant shows has come to match, none having matched at `since`. @throws {Fault} conflict */
  | { readonly kind: 'no-match'; readonly since: Moment; readonly grant: Grant; readonly query: SearchQuery };

/** What of an instance changes while it stands, and whether it is the one that stood. */
export type FiledInstance = Pick<InstanceRow, 'sopInstanceUID' | 'subject' | 'blob' | 'furtherSources'>;

/** A moment of a store, by which it tells what has come since; 0 where it cannot. */
export type Moment = number;

/**
 * An identity that is another person's from now on: it joins a person, or leaves one. Everything filed under it goes
 * along, and the same move back undoes it.
 */
export type Move = {
  /** `Patient/id` of the Patient that the identity is by itself. */
  readonly identity: string;
  /** The person that it is by itself. What was said of her state stays hers. */
  readonly home: PersonKey;
  readonly from: PersonKey;
  readonly to: PersonKey;
  /** `Patient/id` of the Patient of that person. */
  readonly patient: string;
};

/** A unique name: the first plan that claims it wins; the same value again is no conflict. */
export type Claim = { readonly key: ClaimKey; readonly value: string };

/** An AuditEvent and the persons who may read it in their own access list. */
export type AuditRecord = {
  readonly event: AuditEvent & { readonly id: string };
  readonly persons: readonly PersonKey[];
  /** The query as it was asked, where the event does not tell all of it: kept beside it, read by nobody through it. */
  readonly request?: string;
};

/**
 * A whole write. Empty parts may be left out. A part may name one thing more than once: puts follow each other, each a
 * version; claims of one key have one value; instances of one UID one data set; of one job the last counts.
 */
export type CommitPlan = {
  /** Random UUID of the plan. */
  readonly id: string;
  readonly preconditions?: readonly Precondition[];
  readonly claims?: readonly Claim[];
  readonly puts?: readonly Put[];
  /**
   * Rows to delete, before any are put; their history stays. Deleting an absent row changes nothing. Those who saw the
   * row before the plan know of the deletion.
   */
  readonly deletes?: readonly { readonly type: StoredType; readonly id: string }[];
  /** Applied after the preconditions and before all else, but for `history`: a row that is put then stands anew. */
  readonly erased?: readonly Erasure[];
  /** The same data set from another establishment makes that a source, too, of the identity that it names. */
  readonly instances?: readonly InstanceRow[];
  /** Kept once for each SOP Instance UID, data set and source: the same again changes nothing. */
  readonly quarantined?: readonly QuarantinedInstance[];
  /**
   * Identities that change persons. Rows that are filed under each and are of the person that it leaves, deleted ones
   * and instances included, become the other's, who is shown by her Patient; the rights that they give follow. Doors
   * answer what refers to the former Patient by the present one. The events of who an identity is by itself are read by
   * who it is at present, those that are recorded later included.
   *
   * A switch that is on for one of the identities of a person is on for her. A plan that writes for a person who is no
   * more, or files under an identity that is another's, was made before and is refused as a conflict; so is one that
   * takes a person to another and leaves an identity of hers behind.
   */
  readonly moves?: readonly Move[];
  /** Switches, by the person that an identity is by itself, whoever she is at present. */
  readonly states?: readonly { readonly person: PersonKey; readonly change: Partial<PatientState> }[];
  /**
   * Instances of a study that are filed under one identity and are another's from now on, and further sources that sent
   * them of that identity. Each keeps the identity that it was filed under first, until it is filed under that again.
   */
  readonly studies?: readonly {
    readonly studyInstanceUID: string;
    readonly from: PersonKey;
    readonly to: PersonKey;
    /** The identity that they are filed under: `Patient/id`. */
    readonly identity: string;
    /** The identity that they are filed under from then on. */
    readonly subject: string;
    /** Those alone that were moved before. */
    readonly isMovedOnly?: boolean;
  }[];
  /** Work that follows. */
  readonly jobs?: readonly JobRequest[];
  /** Events that are durable with the write. */
  readonly audit?: readonly AuditRecord[];
};

/** What a plan did. */
export type CommitReceipt = {
  /** Version each put row now has, in the plan's order. */
  readonly versions: readonly number[];
  /** Epoch milliseconds stamped as `meta.lastUpdated`. */
  readonly committedAt: number;
  /** For each instance of the plan, whether it was new (`stored`) or stood already with the same data set. */
  readonly instances: readonly ('stored' | 'already')[];
  /** The same for each quarantined instance of the plan. */
  readonly quarantined: readonly ('stored' | 'already')[];
  /**
   * Names of the blobs that erased rows and instances referred to, each once, in no order; of the plan's own rows alone
   * any still may.
   */
  readonly erasedBlobs: readonly string[];
};
