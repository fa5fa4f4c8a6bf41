/** What the main thread and the writer threads say to each other. Everything is plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { FaultKind } from '../../../../profiles/fault.ts';
import type { PersonKey } from '../../../access/requester.ts';
import type { AuditRecord, CommitPlan, CommitReceipt, Move, Precondition, Put } from '../../../ports/commit-plan.ts';
import type { IndexEntries } from '../../../../profiles/search/indexer.ts';
import type { IndexDefinition } from '../../../../profiles/search/index-definition.ts';
import type { StoredToken, TokenKeys } from '../../../ports/token-store.ts';
import type { JobKind, JobLease, JobOutcome } from '../../../ports/job-queue.ts';
import type { ReindexedRow } from '../../../ports/search-index.ts';
import type { TrailHead } from '../../../ports/audit-trail.ts';
import type { GrantTerms } from '../../../access/grant.ts';
import type { WarrantTerms } from '../../../access/warrant.ts';
import type { PersonalSide } from '../../audit-chain.ts';
import type { PartedBody } from '../audit/event-body.ts';

/** A put whose resource is text already: the writer sets version and time between head and tail. */
export type WirePut = Omit<Put, 'resource'> & { readonly head: string; readonly tail: string };

/** An event on its way to the trail: texts, as many events may come of one answer. */
export type WireAudit = {
  readonly id: string;
  readonly body: PartedBody;
  readonly personal: PersonalSide;
  /** When it was recorded, epoch milliseconds. */
  readonly recorded: number;
  readonly persons: AuditRecord['persons'];
  readonly references: IndexEntries['references'];
  /** JSON of {@link FormEntry}s. */
  readonly entries: string;
};

/** An event whose form the writer may know by its number (audit/sent-forms.ts). */
export type SentAudit = Omit<WireAudit, 'body' | 'entries'> & {
  readonly values: PartedBody['values'];
  readonly form: number | { readonly number?: number; readonly frame: string; readonly entries: string };
};

/** A search value that many events have; of references and dates, that there is one (migrations/004-event-forms). */
export type FormEntry = readonly [param: string, value: string, system: string];

/** A condition on its way to the writer. */
export type WireCondition =
  | Exclude<Precondition, { readonly kind: 'no-match' }>
  | (Omit<Extract<Precondition, { readonly kind: 'no-match' }>, 'grant'> & { readonly grant: GrantTerms });

/** A plan on its way to the writer. */
export type WirePlan = Omit<CommitPlan, 'preconditions' | 'puts' | 'audit'> & {
  readonly preconditions: readonly WireCondition[];
  readonly puts: readonly WirePut[];
  readonly audit: readonly WireAudit[];
};

/** A plan and what its warrant says. */
export type WarrantedOrder = { readonly terms: WarrantTerms; readonly plan: WirePlan };

/**
 * What the record file hands over to the audit file: an event, or who an identity is from now on. Earlier servers wrote
 * whole events, and persons that became others.
 */
export type OutboxEntry =
  | { readonly event: WireAudit | AuditRecord }
  | { readonly move: Pick<Move, 'home' | 'to'> }
  | { readonly rekey: { readonly from: PersonKey; readonly to: PersonKey } };

/**
 * A step of forgetting what was deleted, from a page on (forget/forget.ts). Answers the page to go on with, undefined
 * at the end.
 */
type Forget = { readonly order: { readonly from: number }; readonly answer: number | undefined | 'busy' };

/** A row of the table of jobs. */
export type JobRow = {
  readonly kind: JobKind;
  readonly subject: string;
  readonly id: string;
  readonly payload: string;
  readonly event: string | null;
  readonly at: number;
  readonly asked_at: number;
  readonly asked: number;
  readonly attempts: number;
  readonly error: string | null;
  readonly is_dead: number;
  readonly token: number;
  readonly until: number;
};

/** Which jobs are to be taken. */
export type JobTaking = {
  readonly kind: JobKind;
  readonly now: number;
  readonly leaseMs: number;
  readonly limit: number;
};

/** Orders to the writer of records and tokens, and what each answers. */
export type RecordOrders = {
  readonly commit: { readonly order: WarrantedOrder; readonly answer: CommitReceipt };
  readonly forget: Forget;
  readonly forgetTokens: Forget;
  /** Answered when all before it are. */
  readonly rest: { readonly order: undefined; readonly answer: undefined };
  readonly jobsTake: { readonly order: JobTaking; readonly answer: readonly JobRow[] };
  readonly jobExtend: {
    readonly order: { readonly lease: JobLease; readonly now: number; readonly until: number };
    readonly answer: boolean;
  };
  readonly jobSettle: {
    readonly order: { readonly lease: JobLease; readonly now: number; readonly outcome: JobOutcome };
    readonly answer: boolean;
  };
  readonly indexWant: { readonly order: readonly IndexDefinition[]; readonly answer: number };
  readonly indexRows: { readonly order: readonly ReindexedRow[]; readonly answer: number };
  readonly tokenUpsert: {
    readonly order: {
      readonly model: string;
      readonly id: string;
      readonly token: Omit<StoredToken, 'consumedAt'>;
      readonly keys: TokenKeys;
    };
    readonly answer: undefined;
  };
  readonly tokenConsume: {
    readonly order: { readonly model: string; readonly id: string; readonly at: number };
    readonly answer: boolean;
  };
  readonly tokenDestroy: {
    readonly order: { readonly model: string; readonly id: string };
    readonly answer: undefined;
  };
  readonly tokenRevoke: {
    readonly order: { readonly model: string; readonly grantId: string };
    readonly answer: undefined;
  };
  readonly tokenOnce: {
    readonly order: { readonly name: string; readonly expiresAt: number; readonly now: number };
    readonly answer: boolean;
  };
};

/** Orders to the writer of the trail. */
export type TrailOrders = {
  readonly audit: { readonly order: readonly SentAudit[]; readonly answer: undefined };
  readonly head: { readonly order: undefined; readonly answer: TrailHead };
  /** Erases personal sides of events, by event id: of the entities with the query, and of the agents. Records it. */
  readonly erasePersonal: {
    readonly order: {
      readonly entities: readonly string[];
      readonly agents: readonly string[];
      readonly record: WireAudit;
    };
    readonly answer: undefined;
  };
  /** Removes the oldest records, some hundred, up to one; answers how many. */
  readonly removeOldest: { readonly order: { readonly last: number }; readonly answer: number };
  readonly forget: Forget;
};

/** Names of orders, with what each carries and answers. */
export type Orders = Readonly<Record<string, { readonly order: unknown; readonly answer: unknown }>>;

/** An order on its way. Several that were given in one turn go in one message. */
export type OrderMessage<O extends Orders> = {
  [K in keyof O]: { readonly sequence: number; readonly name: K; readonly order: O[K]['order'] };
}[keyof O];

/** Its answer. A plain error of the writer comes back as kind `exception` with its stack as message. */
export type AnswerMessage =
  | { readonly sequence: number; readonly answer: unknown }
  | {
      readonly sequence: number;
      readonly fault: {
        readonly kind: FaultKind;
        readonly message: string;
        readonly expression: string | undefined;
        readonly bug: boolean;
      };
    };

/** What a writer thread is started with. `outbox` leads from the thread of the records to that of the trail. */
export type WriterStart = {
  readonly dataDir: string;
  readonly outbox: MessagePort;
  /** Up to which position of the outbox entries are in the trail: see outbox.ts. */
  readonly moved: BigInt64Array<SharedArrayBuffer>;
  /** Transactions that the writer of records and tokens has ended: who reads knows by it that nothing was written. */
  readonly commits: BigInt64Array<SharedArrayBuffer>;
};
