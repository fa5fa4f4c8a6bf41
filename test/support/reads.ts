/** Audited reads of a store, in the short forms that the suites use. */
import type { SearchQuery } from '../../profiles/search/query.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { Grant } from '../../server/access/grant.ts';
import type {
  AnswerTo,
  PageEnd,
  Question,
  RecordStore,
  SearchPage,
  VisibleRow,
} from '../../server/ports/record-store.ts';
import { anAudit } from './plans.ts';

/** The instances question. */
export type InstancesQuestion = Extract<Question, { kind: 'instances' }>;

/** Asks, with an event that nobody reads. */
export async function ask<Q extends Question>(records: RecordStore, grant: Grant, question: Q): Promise<AnswerTo<Q>> {
  return (await records.look(grant, question, () => [anAudit()])).answer;
}

/** Reads a row by its reference (`Type/id`), or a former version of it. */
export async function read(
  records: RecordStore,
  grant: Grant,
  row: { readonly type: StoredType; readonly id: string },
  version?: number,
): Promise<VisibleRow | undefined> {
  const question = { kind: 'resource', type: row.type, id: row.id } as const;
  return await ask(records, grant, version === undefined ? question : { ...question, version });
}

/** Reads one page. */
export async function search(
  records: RecordStore,
  grant: Grant,
  query: SearchQuery,
  after?: PageEnd,
): Promise<SearchPage> {
  return await ask(records, grant, after === undefined ? { kind: 'search', query } : { kind: 'search', query, after });
}

/** Ids of the rows of a page behind so many rows, and whether more follow. */
export async function searchBehind(
  records: RecordStore,
  grant: Grant,
  query: SearchQuery,
  skip: number,
): Promise<{ readonly ids: readonly string[]; readonly isMore: boolean }> {
  const { rows, next } = await ask(records, grant, { kind: 'search', query, skip });
  return { ids: idsOf(rows), isMore: next !== undefined };
}

/** Reads all pages, at most 100. */
export async function searchPages(
  records: RecordStore,
  grant: Grant,
  query: SearchQuery,
): Promise<readonly SearchPage[]> {
  const pages = [await search(records, grant, query)];
  for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next) {
    if (pages.length === 100) throw new Error('The pages do not end');
    pages.push(await search(records, grant, query, next));
  }
  return pages;
}

/** Ids of the first page's rows, in order. */
export async function searchIds(records: RecordStore, grant: Grant, query: SearchQuery): Promise<readonly string[]> {
  return idsOf((await search(records, grant, query)).rows);
}

/** Ids in order. */
export function idsOf(rows: readonly { readonly id: string }[]): readonly string[] {
  return rows.map((row) => row.id);
}
