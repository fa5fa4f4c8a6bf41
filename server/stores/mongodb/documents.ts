/** The documents of each collection. Times are epoch milliseconds unless a Date is needed for a TTL index. */
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { PatientState } from '../../access/decide.ts';
import type { Origin } from '../../access/rights-of.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Principal, Relation, Right } from '../../access/right.ts';
import type { CommitReceipt, InstanceRow, QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { BlobRef } from '../../ports/image-store.ts';
import type { JobError, JobKind } from '../../ports/job-queue.ts';

/** Arrays that criteria are matched against; written by index-arrays.ts. */
export type IndexArrays = {
  /** Keys of `tokenKey` and `presenceKeys`. */
  readonly tok: readonly string[];
  /** Keys of `referenceKey`: of a row that is another Patient's than the one that it is filed under, to that one. */
  readonly ref: readonly string[];
  readonly dates: readonly { readonly p: string; readonly lo: number; readonly hi: number }[];
  readonly str: readonly { readonly p: string; readonly v: string }[];
  /** Keys of `trigramKeys`. */
  readonly tri: readonly string[];
};

/** What a version of a row is, beside its search values. */
export type RowContent = {
  readonly type: StoredType;
  readonly id: string;
  readonly version: number;
  readonly updated: number;
  readonly sort: number;
  readonly json: string;
  readonly person?: PersonKey | undefined;
  readonly subject?: string | undefined;
  /** The Patient that is shown in place of the subject, where it is another. */
  readonly patient?: string | undefined;
  /** The number of the confidentiality label. */
  readonly level: number;
  readonly released: boolean;
  readonly parent?: string | undefined;
  readonly blob?: BlobRef | undefined;
};

/** A standing row; `_id` is `Type/id`. */
export type RowDocument = {
  readonly _id: string;
  readonly gone?: never;
  readonly touches?: number;
  readonly origin?: Origin | undefined;
  /** The references of a row as it was filed, where it is another Patient's. */
  readonly filedRef?: readonly string[] | undefined;
  /** Version of the definition that it is indexed under; absent before versions were kept. */
  readonly definition?: number | null;
} & RowContent &
  IndexArrays;

/** The definitions under which rows of a type, `_id`, are indexed, by their versions. */
export type IndexDefinitionDocument = {
  readonly _id: StoredType;
  /** The version of the server that was started last. */
  readonly wanted: number;
  /** `parameters` is JSON. */
  readonly definitions: Readonly<Record<string, { readonly parameters: string; readonly sort: string }>>;
};

/** What is left of a deleted row, or a guard where none stood yet: it keeps the version and lets writes conflict. */
export type Tombstone = {
  readonly _id: string;
  readonly gone: true;
  readonly version: number;
  readonly touches?: number;
};

/** A document of `rows`. */
export type StoredRow = RowDocument | Tombstone;

/**
 * A former version; `_id` is `Type/id/version`. A deletion is a version without text; while the row is gone it names
 * the principals that saw it.
 */
export type HistoryDocument = {
  readonly _id: string;
  readonly isDeletion?: true;
  readonly readers?: readonly Principal[];
} & RowContent;

/** What is permitted: one document per right and row that it shows. `item` is `Type/id` of the row. */
export type AclDocument = {
  readonly _id: string;
  readonly principal: Principal;
  readonly type: StoredType;
  readonly sort: number;
  readonly id: string;
  readonly item: string;
  readonly rightId: string;
  readonly relation: Relation;
  readonly source?: string | undefined;
  readonly from: number;
  readonly to: number;
};

/** A right; `item` is undefined when its scope is the whole record. */
export type RightDocument = {
  readonly _id: string;
  readonly person: PersonKey;
  readonly principal: Principal;
  readonly relation: Right['relation'];
  readonly item?: string | undefined;
  readonly from: number;
  readonly to: number;
  /** The rows that give it (`Type/id`), the one that began first at first. At least one. */
  readonly givers: readonly string[];
  /** Of each giver where it began, rising; absent before rows moved. */
  readonly places?: readonly number[];
};

/** A person's state; `writes` counts the commits that concern the person, so that any two of them conflict. */
export type PersonDocument = {
  readonly _id: PersonKey;
  readonly writes: number;
  /** Who the identity of this key is at present, where it is another person: nothing is written under this one. */
  readonly mergedInto?: PersonKey;
  /** The identities that are this person at present: events under their keys are hers, and their switches count. */
  readonly formerly?: readonly PersonKey[];
  /** What was said of the identity itself; absent before it was kept apart, and then all that counts. */
  readonly said?: Partial<PatientState>;
} & Partial<PatientState>;

/** An instance; `_id` is the SOP Instance UID. Absent numbers are null, which sorts first. */
export type InstanceDocument = Omit<InstanceRow, 'sopInstanceUID' | 'instanceNumber' | 'seriesNumber'> & {
  readonly _id: string;
  readonly instanceNumber: number | null;
  readonly seriesNumber: number | null;
};

/** A plan that was applied. */
export type CommitDocument = { readonly _id: string; readonly receipt: CommitReceipt; readonly at: Date };

/** An instance kept aside; `_id` is made of its SOP Instance UID, data set digest and source. */
export type QuarantineDocument = { readonly _id: string } & QuarantinedInstance;

/** A job; `_id` is `kind|subject`, `next` the time from which it can be taken, `until` the end of its lease, or 0. */
export type JobDocument = {
  readonly _id: string;
  readonly kind: JobKind;
  readonly subject: string;
  readonly id: string;
  /** JSON. */
  readonly payload: string;
  readonly event: string | null;
  readonly at: number;
  readonly askedAt: number;
  readonly asked: number;
  readonly attempts: number;
  readonly error: JobError | null;
  readonly isDead: boolean;
  readonly token: number;
  readonly until: number;
  readonly next: number;
};

/** A claim; `_id` is its key. */
export type ClaimDocument = { readonly _id: string; readonly value: string; readonly touches?: number };

/** An AuditEvent; `_id` is its id. It holds the event until it is sealed, then its place in the chain. */
export type AuditDocument = {
  readonly _id: string;
  readonly type: 'AuditEvent';
  readonly id: string;
  readonly sort: number;
  readonly updated: number;
  readonly persons: readonly Principal[];
  readonly pending?: true;
  /** By which version of the index its arrays are made; absent: by the first. */
  readonly indexed?: number;
  /** JSON of the event, until it is sealed. */
  readonly event?: string;
  /** Until it is sealed: the query as it was asked. */
  readonly request?: string;
  /** Until it is sealed: sequence numbers of records whose entities were erased with it. */
  readonly erased?: readonly number[];
  /** Those whose agents were. */
  readonly erasedAgents?: readonly number[];
  /** Until it is sealed: the cut that it tells of. */
  readonly cut?: string;
  readonly sequence?: number;
} & IndexArrays;

/** A sealed entry; `_id` is its sequence number. */
export type ChainDocument = {
  readonly _id: number;
  readonly hash: string;
  readonly body: string;
  readonly event: string;
};

/** One erasable side of a sealed entry. */
export type SideDocument = { readonly salt: string; readonly json: string };

/** The erasable sides of a sealed entry; `_id` is its sequence number. */
export type PersonalDocument = {
  readonly _id: number;
  readonly agents?: SideDocument;
  readonly entities?: SideDocument;
  readonly request?: SideDocument;
};

/** A lease: who holds it, until when, and the fencing token that rises with every holder. */
export type LeaseDocument = {
  readonly _id: string;
  readonly holder: string;
  readonly token: number;
  readonly until: number;
  readonly uses?: number;
};

/** A document of `meta`: the schema's version, or the probe of start-up. */
export type MetaDocument = { readonly _id: string; readonly version?: number; readonly probes?: number };

/** A stored model of the authorization server. `expires` serves the TTL index. */
export type TokenDocument = {
  readonly _id: string;
  readonly model: string;
  readonly payload: string;
  readonly expiresAt?: number | undefined;
  readonly consumedAt?: number | undefined;
  readonly grantId?: string | undefined;
  readonly uid?: string | undefined;
  readonly userCode?: string | undefined;
  readonly expires?: Date | undefined;
};

/** A name that was used; `expiresAt` is epoch seconds. */
export type UsedNameDocument = { readonly _id: string; readonly expiresAt: number; readonly expires: Date };
