/**
 * The store of resources, rights and the instance index. Every read is made under a Grant, which the store evaluates
 * in the statement itself, and every read of a requester is audited before its answer leaves the store.
 *
 * What every adapter keeps (test/contract):
 * - a plan applies atomically and once; versions rise by one; a reader sees all of a plan or nothing of it;
 * - a resolved `commit` is durable; a read that begins after it sees it, in every process on the same store;
 * - rights follow from the rows (`rightsGivenBy`): one begins with the first row that gives it and ends with the last;
 *   those of a row to itself outlive its deletion (`rightsLeftBy`); of several givers the first that began is named,
 *   whoever's it was then;
 * - what moves with an identity (`moves`) is as it was when it moves back; doors are shown the Patient of who it is;
 * - new rows are shown to the live rights of their person, and new rights show the standing rows (`permits`);
 * - hidden rows are absent: from rows, totals, pages, included rows, chains and `_has`;
 * - what is below a study is found by the claim that names its row (`claimKey.imagingStudy`), and by no identifier
 *   that rows say: a row without a claim has nothing below it, and is never taken for the study of its identifiers;
 * - rows come by `sort` descending, then id ascending, or in the order that is asked for, which says what comes first
 *   of equal ones, too; a row that does not change is on exactly one page;
 * - what no store takes is refused before it is looked at, by the Faults of bounds.ts: the same kind, expression and
 *   message everywhere; what stands refuses a plan in one order (`commit`), in the words of `stores/refused.ts`;
 * - the same plans, questions and jobs get the same answers, rights and events (test/contract/two-stores.test.ts).
 */
import type { MatchKey } from '../../profiles/dicom/match.ts';
import type { ListPlace, SortValue } from '../../profiles/search/order.ts';
import type { SearchQuery } from '../../profiles/search/query.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { PatientState } from '../access/decide.ts';
import type { Grant, SystemGrant } from '../access/grant.ts';
import type { PersonKey } from '../access/requester.ts';
import type { Principal, Relation, Right } from '../access/right.ts';
import type { Warrant } from '../access/warrant.ts';
import type { CommitPlan, CommitReceipt, InstanceRow, Moment, QuarantinedInstance } from './commit-plan.ts';
import type { ClaimKey } from './claim-key.ts';
import type { BlobRef } from './image-store.ts';
import type { Events, Telling } from './telling.ts';

/** Under which right a row was shown; undefined for the directory and the server's own reads. */
export type ShownBy = { readonly rightId: string; readonly relation: Relation; readonly source: string | undefined };

declare const readBy: unique symbol;

/** A text that the server read for itself: nobody can send it. Whoever builds a plan opens it (`openedResource`). */
export type InternalText = { readonly [readBy]: 'server' };

/**
 * A row that the grant may see. `json` is the resource as stored, after its type and id `meta`, with version and time.
 * An AuditEvent is shown by a right that bears its id.
 */
export type VisibleRow = {
  readonly type: StoredType;
  readonly id: string;
  readonly version: number;
  /** `meta.lastUpdated`, epoch milliseconds. */
  readonly updated: number;
  readonly sort: number;
  readonly json: string;
  readonly person: PersonKey | undefined;
  /** `Patient/id` of the person; to the server itself that of the identity that the row is filed under. */
  readonly subject: string | undefined;
  /** To the server itself: `Patient/id` of the person, where it is not the subject. */
  readonly patient?: string;
  /** To a requester: `Patient/id` of the identity that the row is filed under, where it is not the subject. */
  readonly identity?: string;
  readonly blob: BlobRef | undefined;
  /** Whether the patient may see the row, as it was put. */
  readonly released: boolean;
  /** Label and life cycle leave the row to its patient, who may hear what it is; of former versions it is not told. */
  readonly isOpenToPatient?: true;
  /** The item that a part belongs to, where it was asked for. */
  readonly item?: Pick<VisibleRow, 'type' | 'id' | 'json' | 'isOpenToPatient'>;
  readonly shownBy: ShownBy | undefined;
};

/**
 * A version of a row: the present one, a former one, or its deletion, which has no text (`json` is empty). What a
 * former one says beside text, bytes, version and time is what the row says now; the server, which also finds those of
 * a row that is gone, is told that they are nobody's, not released, and sorted by their time. A deleted row, its
 * versions included, is shown to the principals who saw it when it was deleted, as far as their rights and
 * the state of the person still would show it if it stood as it did last.
 */
export type RowVersion = VisibleRow & { readonly isDeletion?: true };

/**
 * A row that the server read for itself. No endpoint can put it into an answer, as it takes visible rows only: what a
 * requester is to see is read again under its own grant.
 */
export type InternalRow = Omit<VisibleRow, 'json' | 'blob'> & {
  readonly json: InternalText;
  /** By name: such bytes are removed, and opened for nobody. */
  readonly blob: Pick<BlobRef, 'name'> | undefined;
};

/** The same of a version. */
export type InternalVersion = InternalRow & { readonly isDeletion?: true };

/** An instance that a grant may see. */
export type ShownInstance = InstanceRow & { readonly [readBy]: 'requester' };

/** An instance that the server read for itself, which no endpoint takes. */
export type InternalInstance = InstanceRow & { readonly [readBy]: 'server' };

/** Where a page of a history ends: its last version. */
export type VersionPlace = Pick<VisibleRow, 'updated' | 'id' | 'version'>;

/** One page of a history. */
export type HistoryPage = {
  readonly rows: readonly RowVersion[];
  /** Present when more follow. */
  readonly next: VersionPlace | undefined;
};

/** Most rows of one type whose versions are put in order for one answer. */
export const MAX_HISTORY_ROWS = 10_000;

/** Most matches that are put in another order than the type's own or its reverse, for one answer. */
export const MAX_ORDERED_ROWS = 5_000;

/** Where a page ends: the last row's sort key and id, and in an order that is asked for its values of the keys. */
export type PageEnd = ListPlace & { readonly keys?: readonly SortValue[] };

/** Most rows that come beside a page. */
export const MAX_INCLUDED_ROWS = 1_000;

/** One page of rows. */
export type SearchPage = {
  readonly rows: readonly VisibleRow[];
  /**
   * Rows that come beside the page, each once, none of which is in `rows`: those that its rows refer to, row by row, by
   * parameters as they are asked for and by name; then those that refer to them, in the order of their types.
   */
  readonly included: readonly VisibleRow[];
  /** Rows beside the page were left out, as they are more than MAX_INCLUDED_ROWS. */
  readonly isCut?: true;
  /** Of a search of events: earlier ones lie in its part of the trail, which one of its parameters does not find. */
  readonly lacksEarlier?: true;
  /** Number of all matches; undefined when it was not asked for or is over the bound of 1,000. */
  readonly total: number | undefined;
  /** Present when more rows follow. */
  readonly next: PageEnd | undefined;
};

/** What a question about its parts tells of a study; its resource, without series, where it was asked for. */
export type ShownStudy = Pick<VisibleRow, 'id' | 'person' | 'subject' | 'identity' | 'shownBy'> &
  Partial<NonNullable<VisibleRow['item']>>;

/** A study and the instances that were asked for; without a visible study there are none. */
export type StudyInstances = {
  readonly study: ShownStudy | undefined;
  /** By series number, series UID, instance number, SOP instance UID. */
  readonly instances: readonly ShownInstance[];
};

/**
 * A study and the metadata of the instances that were asked for, in UTF-8 and in their order. The bytes are those of
 * this answer alone: its reader may give their memory back.
 */
export type StudyMetadata = {
  readonly study: ShownStudy | undefined;
  readonly metadata: readonly Uint8Array[];
  /** To a requester: the identities (`Patient/id`) that these instances are filed under; absent without instances. */
  readonly identities?: readonly string[];
};

/** A series by its first instance, or an instance; `instances` is the number of instances of its series. */
export type FoundPart = { readonly row: ShownInstance; readonly instances: number };

/** Series or instances of visible studies, with the studies they are of. */
export type StudyParts = {
  readonly studies: readonly VisibleRow[];
  /** Rows that the studies refer to, as far as they may be seen. */
  readonly included: readonly VisibleRow[];
  /** Studies as lists have them; in each by series number, series UID, instance number, SOP instance UID. */
  readonly parts: readonly FoundPart[];
  /** Whether more follow. */
  readonly isMore: boolean;
};

/** Instances of one study; `withStudy` answers what the study is, too. */
type PartsAsked = {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID?: string;
  readonly sopInstanceUIDs?: readonly string[];
  readonly withStudy?: true;
  readonly offset: number;
  readonly limit: number;
};

/**
 * What can be asked. Counts and limits are whole numbers from 1 to MAX_PAGE, `skip` and `offset` from 0 on; `after` is
 * where a former page ended; types have a class; at most MAX_UIDS UIDs are named (bounds.ts says by which Faults others
 * are refused). An id that is none is that of no row.
 */
export type Question =
  /**
   * One resource, at its present or a former version. A former version needs the right to the present one. With
   * `orDeleted` a deleted row is answered too, as its deletion or by a version; a part `withItem` says whose it is.
   */
  | {
      readonly kind: 'resource';
      readonly type: StoredType;
      readonly id: string;
      readonly version?: number;
      readonly orDeleted?: true;
      readonly withItem?: true;
    }
  /**
   * Versions of one row, or of all rows of a type, latest first (`updated` descending, id ascending, version
   * descending), at most `limit` of those at or after `since` (epoch milliseconds) and behind a place. All versions of
   * a row are shown under the right to it. Parts and AuditEvents have no history.
   * @throws {Fault} too-costly - more than MAX_HISTORY_ROWS rows of the type are visible
   */
  | {
      readonly kind: 'history';
      readonly type: StoredType;
      readonly id?: string;
      readonly since?: number;
      readonly after?: VersionPlace;
      readonly limit: number;
    }
  /**
   * A page; `skip` rows are passed over before it.
   * @throws {Fault} too-costly - more than MAX_ORDERED_ROWS would be put in another order than the type's own, or of
   *   too many Patients it is looked at which identifiers they are shown with
   */
  | { readonly kind: 'search'; readonly query: SearchQuery; readonly after?: PageEnd; readonly skip?: number }
  /**
   * Instances of the study whose claim names a visible row, at most `limit` after `offset`: those of the person of that
   * row, and to one of several sources those that `sourcesShown` names. UIDs that are given must match; metadata can be
   * left out (`omitMetadata`).
   */
  | ({ readonly kind: 'instances'; readonly omitMetadata?: true } & PartsAsked)
  /** The metadata of such instances alone, to be sent as they are. */
  | ({ readonly kind: 'metadata' } & PartsAsked)
  /**
   * Series or instances of the visible studies that satisfy a search, at most `limit` after `offset`. Keys of a series
   * are matched with its first instance. UIDs of studies lead to rows, and rows to UIDs, by claims.
   * @throws {Fault} too-costly - more had to be looked at than one answer may cost
   */
  | {
      readonly kind: 'parts';
      readonly level: 'series' | 'instances';
      readonly studies: Pick<SearchQuery, 'where' | 'span' | 'include'>;
      /** Only this study. */
      readonly studyInstanceUID?: string;
      /** Only studies that hold one of these instances. */
      readonly sopInstanceUIDs?: readonly string[];
      readonly ofSeries: readonly MatchKey[];
      readonly ofInstance: readonly MatchKey[];
      readonly offset: number;
      readonly limit: number;
    };

/** The answer to each kind of question. */
export type AnswerTo<Q extends Question> = Q extends { kind: 'resource' }
  ? RowVersion | undefined
  : Q extends { kind: 'search' }
    ? SearchPage
    : Q extends { kind: 'history' }
      ? HistoryPage
      : Q extends { kind: 'parts' }
        ? StudyParts
        : Q extends { kind: 'metadata' }
          ? StudyMetadata
          : StudyInstances;

/** What the server itself may ask. */
export type InternalQuestion = Exclude<Question, { readonly kind: 'parts' }>;

/** The answer to each kind of question of the server itself. */
export type InternalAnswerTo<Q extends InternalQuestion> = Q extends { kind: 'resource' }
  ? InternalVersion | undefined
  : Q extends { kind: 'search' }
    ? Omit<SearchPage, 'rows' | 'included'> & {
        readonly rows: readonly InternalRow[];
        readonly included: readonly InternalRow[];
      }
    : Q extends { kind: 'history' }
      ? Omit<HistoryPage, 'rows'> & { readonly rows: readonly InternalVersion[] }
      : Q extends { kind: 'metadata' }
        ? Omit<StudyMetadata, 'metadata'> & { readonly metadata: readonly InternalText[] }
        : Omit<StudyInstances, 'instances'> & { readonly instances: readonly InternalInstance[] };

declare const passed: unique symbol;

/** Proof of an audited read; made by stores only. Its parts may be read on without another event. */
export type Passage = { readonly [passed]: true };

/** An audited answer. */
export type Audited<A> = { readonly answer: A; readonly passage: Passage };

/**
 * What stands of an account: its row, of a Patient that of her identity (`Person/id`), the PractitionerRoles that name
 * it (by id), and whether it was switched off.
 */
export type StoredAccount = {
  readonly row: InternalRow;
  readonly roles: readonly InternalRow[];
  readonly isOff: boolean;
};

/**
 * The port. What takes a grant, a warrant or a passage refuses, at run time, one that `server/access` or a store did
 * not make (TypeError).
 */
export interface RecordStore {
  /**
   * Applies a plan under a warrant: in the same transaction, what the warrant rests on still holds, every row that the
   * plan changes is within its reach, and every person whose rows change has an event in the plan. A plan that several
   * things refuse is refused for the first of: what no store takes (bounds.ts); its warrant; preconditions on rows,
   * those on claims, those on instances, those on searches; claims; persons who were joined; instances; jobs.
   * @throws {Fault} too-costly, not-supported, invalid, too-long - no store takes it (bounds.ts)
   * @throws {Fault} login, conflict - what the warrant rests on holds no more
   * @throws {Fault} exception - the plan goes beyond its warrant, or lacks an event
   * @throws {Fault} version-conflict, conflict - a precondition or claim does not hold
   * @throws {Fault} conflict - it writes for a person who is another, or files where an identity is not, also by it
   * @throws {Fault} conflict - an instance stands with another data set; another job has the id of one
   * @throws {Fault} transient - the store cannot take more writes now
   */
  commit(warrant: Warrant, plan: CommitPlan): Promise<CommitReceipt>;

  /**
   * Answers a question of a requester. `account` tells, from the answer, which events to record (at least one); they
   * are durable when the promise resolves. What is heard of a row is hers whose identity it is filed under by itself.
   * @throws {Fault} not-supported, invalid, too-costly - no store answers the question (bounds.ts)
   * @throws {Fault} invalid - an event without an id, or that says no time when it was recorded
   * @throws {Fault} transient - the answer could not be audited
   */
  look<Q extends Question>(
    grant: Grant,
    question: Q,
    account: Telling<AnswerTo<Q>, Events>,
  ): Promise<Audited<AnswerTo<Q>>>;

  /**
   * Reads a further part of an audited answer, as what is visible now (epoch milliseconds). What no event of it tells
   * of yet, `account` tells: its events, if any, are durable when the promise resolves.
   */
  follow<Q extends Question>(
    passage: Passage,
    question: Q,
    now: number,
    account?: Telling<AnswerTo<Q>>,
  ): Promise<AnswerTo<Q>>;

  /**
   * Answers a question of the server itself about the subject of its grant: a row by id is the one that it names, a
   * search finds rows of its person and the directory, instances are those of its study.
   * @throws {Fault} exception - here and below: the grant is bound to another subject
   */
  peek<Q extends InternalQuestion>(grant: SystemGrant, question: Q): Promise<InternalAnswerTo<Q>>;

  /** What stands of an account (`Patient/id` or `Practitioner/id`), in one statement; undefined when it does not. */
  accountOf(grant: SystemGrant, reference: string): Promise<StoredAccount | undefined>;

  /**
   * A number that moves with every commit that may change what {@link accountOf} answered; undefined where other
   * processes write, too, so that nothing may be kept.
   */
  accessVersion(): number | undefined;

  /** This moment, for a condition that rests on a search: asked for before it. */
  moment(): Promise<Moment>;
  /** The value of a claim, or undefined. */
  claimed(grant: SystemGrant, key: ClaimKey): Promise<string | undefined>;
  /** The values of those of some claims that are held, by their keys, in one statement. */
  claimedAmong(grant: SystemGrant, keys: readonly ClaimKey[]): Promise<ReadonlyMap<ClaimKey, string>>;
  /** The instance that stands under a SOP Instance UID, in whatever study, its metadata left out; or undefined. */
  instanceOf(grant: SystemGrant, sopInstanceUID: string): Promise<InternalInstance | undefined>;
  /** Whether an instance of a person stands that is filed under an identity (`Patient/id`). */
  hasInstances(grant: SystemGrant, person: PersonKey, subject: string): Promise<boolean>;
  /**
   * What is kept aside, of the study or the person of the grant or of all, earliest received first, then by SOP
   * Instance UID, digest and source.
   */
  quarantined(grant: SystemGrant): AsyncIterable<QuarantinedInstance>;
  /** Rows of a person that are deleted, by type and id: their former versions are kept. */
  deletedOf(grant: SystemGrant, person: PersonKey): Promise<readonly Pick<InternalRow, 'type' | 'id' | 'subject'>[]>;

  /**
   * The rights of a person by id, ended ones left out: all, or those that may show one item (`Type/id`): to her record,
   * to it, and to any exam, which it may be part of. There may be rights to thousands of items.
   */
  rightsOf(grant: SystemGrant, person: PersonKey, item?: string): Promise<readonly Right[]>;

  /** How many rows live rights show to at least one of some principals, at the time of the grant. */
  shownTo(grant: SystemGrant, principals: readonly Principal[]): Promise<number>;

  /** The state of a person. */
  stateOf(grant: SystemGrant, person: PersonKey): Promise<PatientState>;

  /**
   * Resolves when no byte of what was erased before is left where this store keeps its data.
   * @throws {Fault} transient - readers hold on to it; try again
   */
  forget(): Promise<void>;

  /** Names of all blobs that rows or instances, quarantined ones included, refer to. */
  blobNames(grant: SystemGrant): AsyncIterable<string>;

  close(): Promise<void>;
}
