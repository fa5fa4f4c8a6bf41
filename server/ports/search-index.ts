/**
 * The index of resources as a whole: under which definitions rows are indexed, and indexing them anew while everything
 * else goes on. What a row says does not change by it: neither its text nor its version.
 *
 * What every adapter keeps (test/contract):
 * - whatever writes a row keeps the version of the definition that its values were made under (`Put.index`);
 * - a row is indexed anew whole or not at all, and only where it stands as it was read: what was written meanwhile
 *   stands;
 * - lists are sorted by the new place as soon as the row is;
 * - who sees a row follows the exams that it is part of and the time that it is of, as its new values say them.
 */
import type { RowIndex } from '../../profiles/search/indexer.ts';
import type { IndexDefinition } from '../../profiles/search/index-definition.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { SystemGrant } from '../access/grant.ts';
import type { InternalRow, VisibleRow } from './record-store.ts';

/** A definition that some server indexed under. `isWanted`: the server that was started last does, or will. */
export type KeptDefinition = IndexDefinition & { readonly isWanted: boolean };

/**
 * For each type the versions of definitions that hold for its rows, at least one and at most two: see `versionsOf`.
 */
export type CurrentVersions = ReadonlyMap<StoredType, readonly number[]>;

/** A row of another definition. */
export type StaleRow = Pick<InternalRow, 'type' | 'id' | 'version' | 'updated' | 'sort' | 'person' | 'json'> & {
  /** The version of the definition that it is indexed under. */
  readonly definition: number;
};

/** The new index of a row that stands at a version. */
export type ReindexedRow = Pick<VisibleRow, 'type' | 'id' | 'version' | 'updated' | 'sort' | 'person'> & {
  readonly index: RowIndex;
};

/** The port. */
export interface SearchIndex {
  /** Keeps definitions, one a type, and that these are wanted from now on. */
  want(definitions: readonly IndexDefinition[]): Promise<void>;

  /** Every definition that was ever wanted, but for those of rows without a version. */
  kept(): Promise<readonly KeptDefinition[]>;

  /** The versions under which rows are indexed that are not current, by type; types without such rows are left out. */
  staleVersions(current: CurrentVersions): Promise<ReadonlyMap<StoredType, readonly number[]>>;

  /** How many rows of a type are indexed under no current version. */
  countStale(type: StoredType, current: readonly number[]): Promise<number>;

  /** Some of those rows, at most `limit`, in no order. */
  stale(grant: SystemGrant, type: StoredType, current: readonly number[], limit: number): Promise<readonly StaleRow[]>;

  /**
   * Indexes rows of one type anew, as far as each stands at its version under another definition. Resolves with their
   * number.
   * @throws {Fault} transient - the store cannot take more writes now
   */
  reindex(rows: readonly ReindexedRow[]): Promise<number>;
}
