/** What stories read for themselves: each read is bound to the one thing that it names. */
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import type { Resource } from '@medplum/fhirtypes';
import type { Criterion } from '../../profiles/search/query.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { ItemReading, SystemGrant } from '../access/grant.ts';
import type { ClaimKey } from '../ports/claim-key.ts';
import { openedResource } from '../ports/internal-row.ts';
import type { InternalRow, PageEnd, RecordStore } from '../ports/record-store.ts';

/** Rows of one type that the server reads at once of a study or person; far above what exists. */
const MANY = 1_000;
/** Rows of a page, where there may be more: a study's text may have a hundred thousand characters. */
const PAGE = 50;

/** A row and its resource. */
export type Found<T> = { readonly row: InternalRow; readonly resource: T };

/** The value of a claim, or undefined. */
export async function claimOf(records: RecordStore, reading: ItemReading, key: ClaimKey): Promise<string | undefined> {
  return await records.claimed(reading({ item: key }), key);
}

/** Reads one row by type and id. */
export async function rowById(
  records: RecordStore,
  reading: ItemReading,
  type: StoredType,
  id: string,
): Promise<InternalRow | undefined> {
  return await records.peek(reading({ item: `${type}/${id}` }), { kind: 'resource', type, id });
}

/** Reads one resource by type and id. */
export async function findById<T extends Resource>(
  records: RecordStore,
  reading: ItemReading,
  type: StoredType,
  id: string,
): Promise<Found<T> | undefined> {
  const row = await rowById(records, reading, type, id);
  return row === undefined ? undefined : { row, resource: openedResource<T>(row) };
}

/**
 * Finds rows of a type, of the person that the grant is bound to or of all, by parameters that no release has changed:
 * it cannot wait until rows are indexed anew (test/profiles/search/index-definition.test.ts).
 */
export async function findAll<T extends Resource>(
  records: RecordStore,
  grant: SystemGrant,
  type: StoredType,
  where: readonly Criterion[],
): Promise<Found<T>[]> {
  const found: Found<T>[] = [];
  for await (const page of pagesOf<T>(records, grant, { type, where, count: MANY })) found.push(...page);
  return found;
}

/**
 * Rows of a type that the grant is bound to, however many, in pages of the type's own order; parameters as in
 * {@link findAll}. Other work has its turn between two pages: SQLite reads them without waiting for anything.
 */
export async function* pagesOfAll<T extends Resource>(
  records: RecordStore,
  grant: SystemGrant,
  type: StoredType,
  where: readonly Criterion[] = [],
): AsyncGenerator<readonly Found<T>[], void> {
  yield* pagesOf<T>(records, grant, { type, where, count: PAGE });
}

type Listed = { readonly type: StoredType; readonly where: readonly Criterion[]; readonly count: number };

/** All of it: a decision that rests on rows would be another one without the last of them. */
async function* pagesOf<T extends Resource>(
  records: RecordStore,
  grant: SystemGrant,
  listed: Listed,
): AsyncGenerator<readonly Found<T>[], void> {
  const query = { ...listed, total: 'none', include: [] } as const;
  for (let after: PageEnd | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page = await records.peek(grant, { kind: 'search', query, ...(after === undefined ? {} : { after }) });
    yield page.rows.map((row) => ({ row, resource: openedResource<T>(row) }));
    after = page.next;
    if (after !== undefined) await turnOfOthers();
  }
}
