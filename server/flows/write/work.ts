/** What the steps of a write share. */
import type { Resource } from '@medplum/fhirtypes';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { Validate } from '../../../profiles/validation/validate.ts';
import type { NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { Warrant } from '../../access/warrant.ts';
import type { Precondition } from '../../ports/commit-plan.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import type { InternalRow, InternalVersion } from '../../ports/record-store.ts';
import type { GuardDeps, Visit } from '../guard.ts';
import type { KnownPatient } from '../identity/persons.ts';
import type { SuppressionDeps } from '../erase/known-again/suppression.ts';
import type { WriteAct } from './act.ts';
import type { PlanParts } from './plan-parts.ts';
import type { StoredDocument } from './store-document.ts';

/** What writing needs. */
export type WriteDeps = GuardDeps &
  SuppressionDeps & {
    readonly images: ImageStore;
    readonly indexer: Indexer;
    readonly validate: Validate;
    readonly publicUrl: () => string;
    /** IANA name. */
    readonly timeZone: string;
    /** Days after a stay for which its establishment sees the record. */
    readonly stayGraceDays: number;
  };

/** One write, of one act or of several that stand or fall together, as it is worked out. */
export type Work = {
  readonly deps: WriteDeps;
  readonly visit: Visit;
  /** Whether the acts are a transaction, which a sender who has not heard the answer sends again. */
  readonly isTransaction: boolean;
  /** Bytes that are durable already, by the act that brought them. */
  readonly documents: ReadonlyMap<WriteAct, StoredDocument>;
  readonly reading: NarrowReading;
  readonly now: number;
};

/** An act, and where its resource is or will be. */
export type Placed = {
  readonly act: WriteAct;
  readonly id: string;
  /** What stands there. */
  readonly standing: InternalRow | undefined;
  /** What is left of what stood there: its id stays that of whom it was of. */
  readonly deletion?: InternalVersion;
  /** What stands there, or may be made there, is the requester's own: its id, identity or identifier says so. */
  readonly isOwn?: true;
  /** What its condition found nothing by, where no identity of the row does: it must still find nothing. */
  readonly sought?: Precondition;
  /** The act is met by what stands: a conditional create that found a match. */
  readonly isMet?: true;
};

/** A resource that is to be written at its place, its links resolved. */
export type Written = {
  readonly placed: Placed;
  readonly resource: Resource;
  /** The Patient that it is about; undefined of a Patient itself. */
  readonly known: KnownPatient | undefined;
};

/** What one act adds to the plan. Without a put of its row the row is left as it is. */
export type ActParts = {
  readonly parts: PlanParts;
  readonly person?: PersonKey;
  /** `Patient/id` */
  readonly subject?: string;
  /** Every person whose rows the parts change, with her Patient, where they are not of that person alone. */
  readonly touched?: ReadonlyMap<PersonKey, string>;
  /** Those persons, and the ones that the parts make. */
  readonly reached?: readonly PersonKey[];
  /** Persons who stay as they are, of whose identities desks are told something else. */
  readonly reviewed?: readonly PersonKey[];
  /** The Patient that the parts make, of an act on a Patient. */
  readonly known?: KnownPatient;
  /**
   * What the answer names instead of the resource that was sent: what stands and says the same (200), or the Task of
   * whoever has to agree (202).
   */
  readonly answered?: {
    readonly status: 200 | 202;
    readonly type: StoredType;
    readonly id: string;
    /** Of what stands. */
    readonly version?: number;
    readonly updated?: number;
  };
  /** What the parts are written under, once the act is decided; an act that adds nothing needs none. */
  readonly warrant?: Warrant;
};

/** An act and what it adds to the plan. */
export type WorkedAct = ActParts & Placed;
