/**
 * The audit trail: append-only, hash-chained. Reads of AuditEvents go through RecordStore.look like every other type.
 * The hash covers each event without its personal parts, and a salted commitment to those parts; the parts lie in a
 * side table from which they can be erased without breaking the chain.
 */
import type { PersonKey } from '../access/requester.ts';
import type { AuditRecord } from './commit-plan.ts';

/** The last record of the chain. `sequence` counts from 1; 0 is the empty chain. */
export type TrailHead = { readonly sequence: number; readonly hash: string };

/**
 * The oldest records, which go or are gone as their time is over: up to the last of them, each recorded before a time
 * (`before`, as FHIR writes it).
 */
export type TrailCut = TrailHead & { readonly before: string };

/** What tells of a cut: its event, and a seal of the cut that only who holds a key can make. */
export type ToldCut = { readonly record: AuditRecord; readonly seal?: string | undefined };

/** What the seal of a cut is made of. */
export function sealedText({ sequence, hash, before }: TrailCut): string {
  return JSON.stringify(['audit-cut', sequence, hash, before]);
}

/** A cut as the chain tells it, and when its event was recorded. */
export type SealedCut = TrailCut & Pick<ToldCut, 'seal'> & { readonly recorded: string };

/** Which of the oldest records are to go, and who tells of it. Times are epoch milliseconds. */
export type Cutting = {
  /** What was recorded before this goes. */
  readonly before: number;
  /** What was recorded later than this says no time, as does what says none: it is as old as the record before it. */
  readonly now: number;
  /** For so many milliseconds beyond the oldest record, whatever else would go: a clock may be wrong. */
  readonly reach: number;
  /** For so many milliseconds after a cut was told another one takes no more than what that one was to. */
  readonly pause: number;
  /** Neither this record goes nor any after it: it is kept elsewhere. */
  readonly anchored?: number | undefined;
  /** Makes the event of a cut: how many records go, and how many of them say no time. */
  readonly tell: (cut: TrailCut, records: number, undated: number) => Promise<ToldCut>;
  /** Whether a cut that the chain tells of bears the seal of who cuts now. */
  readonly isOurs: (cut: SealedCut) => Promise<boolean>;
};

/**
 * What a verification found. `begins` is the first record that is there, 1 in an empty chain; `cut` the last cut that
 * the chain tells of, which took what is missing before that. `erased` counts the records of which a personal part is
 * gone by an erasure that the chain tells of; `unexplained` those among them of earlier servers, whose erasures left no
 * record.
 */
export type Verification =
  | {
      readonly whole: true;
      readonly head: TrailHead;
      readonly begins: number;
      readonly cut?: SealedCut;
      readonly erased: number;
      readonly unexplained: number;
    }
  | { readonly whole: false; readonly sequence: number; readonly reason: string };

/** How the sealing of events goes. */
export type Sealing = {
  /** When the oldest event was recorded that is durable and not in the chain yet, epoch milliseconds. */
  readonly waitingSince: number | undefined;
  /** How often sealing failed in this process since it last did not. */
  readonly failures: number;
};

/** A person who goes out of the trail. */
export type ErasedPerson = {
  /** The keys that she had. */
  readonly persons: ReadonlySet<PersonKey>;
  /** The accounts under which she acted (`Patient/id`), and who represents her (`RelatedPerson/id`). */
  readonly agents: ReadonlySet<string>;
  /**
   * What names her: each by the texts that have to come together, as a number of a domain and the domain. A text that
   * is short is found in the events of everybody.
   */
  readonly names: readonly (readonly string[])[];
};

/** Most records that one cut takes. */
export const MOST_CUT = 50_000;

/** The port. */
export interface AuditTrail {
  /**
   * Records events that belong to no read or write of the store: refusals, sign-ins, associations.
   * Durable when resolved. An id that is recorded already changes nothing.
   * @throws {Fault} invalid - an event without an id, or that says no time when it was recorded (bounds.ts)
   * @throws {Fault} transient - the trail cannot be written
   */
  record(records: readonly AuditRecord[]): Promise<void>;

  /** The chain's head, after everything recorded before the call is sealed. */
  head(): Promise<TrailHead>;

  /** The head of what is in the chain and durable now; waits for nothing. */
  sealedHead(): Promise<TrailHead>;

  /** The hash of a record; undefined when the chain does not hold it. */
  hashAt(sequence: number): Promise<string | undefined>;

  /**
   * Does work that of all processes of a store the one that seals is to do; undefined, and nothing done, while another
   * one seals.
   */
  whileSealing<T>(work: () => Promise<T>): Promise<T | undefined>;

  /**
   * How the sealing of events goes; waits for nothing.
   * @throws {Fault} transient - the store is out of reach
   */
  sealing(): Promise<Sealing>;

  /**
   * Erases what events tell of the entities they touched, and the query as it was asked, of those events that
   * mention one of these names (UIDs, identifiers, `Type/id` of rows), in queries too: the chain stays whole, and who
   * passed when stays readable. Some hundred events at a time are erased together with the recording of `recordOf` (how
   * many), to which the store adds which they were. Resolves with the number of events. The whole trail is looked at,
   * which may take hours: `goOn` is called between its parts. What that throws ends the look; what is erased stays so.
   * With `readers`: of those events alone that one of these persons may read.
   */
  eraseEntities(
    names: ReadonlySet<string>,
    recordOf: (events: number) => AuditRecord,
    goOn?: () => Promise<void>,
    readers?: ReadonlySet<PersonKey>,
  ): Promise<number>;

  /**
   * Erases a person in the same way: of the events that she alone may read, and of those that mention her, what they
   * tell of entities and the query as it was asked; of those where she acted, who acted. When something was done, by
   * which right, and which professional did it stays readable: her record has no name any more.
   */
  erasePerson(
    who: ErasedPerson,
    recordOf: (events: number) => AuditRecord,
    goOn?: () => Promise<void>,
  ): Promise<number>;

  /**
   * Removes the oldest records, with all that they are found by: up to the first that is not to go ({@link Cutting}),
   * and never the last of the chain. What goes is verified before it is told: it follows on the last cut, which must be
   * of the same seal, and the first record that stays follows on it. The event that `tell` makes of it is in the chain
   * before anything goes; the store adds to it which is the last that goes. Then some hundred go at a time, and the
   * trail is whole after each step. Resolves with the number of records that went, {@link MOST_CUT} at most beside what
   * an earlier cut left. `goOn` is called between the steps. What that throws ends the cut; another one takes the rest.
   * @throws {Fault} conflict - the chain is broken there, or begins by a cut of another seal: nothing is told or goes
   */
  cut(cutting: Cutting, goOn?: () => Promise<void>): Promise<number>;
  /** How many events lost a part by the erasures that some events (ids) tell of, each counted once. */
  countErased(told: readonly string[]): Promise<number>;

  /** As {@link TrailVerifier.verify}, after everything recorded before the call is sealed. */
  verify(known?: readonly TrailHead[]): Promise<Verification>;
}

/** A trail that is open to be looked at alone, beside the server or without it: nothing is written or sealed. */
export interface TrailVerifier {
  /**
   * Walks the whole chain and names the first record that does not fit: its hash, its personal parts while they are
   * there, and what search finds it by, in both directions. Records may be missing before the first that is there, when
   * the chain tells of a cut that took them. `known` are heads that were kept elsewhere: the chain must hold each, but
   * those that a cut took. Without one, records of which nothing is left at the end cannot be told from records never
   * written.
   * @throws {Fault} transient - the store is out of reach, or a server was started meanwhile
   */
  verify(known?: readonly TrailHead[]): Promise<Verification>;

  close(): Promise<void>;
}
