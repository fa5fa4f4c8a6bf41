/** Which of some rows a requester sees: they are asked for by id, some at a time. */
import type { SearchQuery } from '../../../profiles/search/query.ts';
import { isStoredType } from '../../../profiles/types/visibility.ts';
import type { SearchPage, VisibleRow } from '../../ports/record-store.ts';

/** Rows that one search asks for. */
const AT_ONCE = 100;

/** Those of some rows (`Type/id`) that searches find, as the requester asks them, by that. */
export async function seenItems(
  items: readonly string[],
  ask: (query: SearchQuery) => Promise<SearchPage>,
): Promise<ReadonlyMap<string, VisibleRow>> {
  const seen = new Map<string, VisibleRow>();
  for (const [type = '', some] of Map.groupBy(items, (item) => item.split('/')[0])) {
    if (!isStoredType(type)) continue;
    for (let at = 0; at < some.length; at += AT_ONCE) {
      const values = some.slice(at, at + AT_ONCE).map((item) => item.slice(type.length + 1));
      const where = [{ kind: 'id', values }] as const;
      const page = await ask({ type, where, count: AT_ONCE, total: 'none', include: [] });
      for (const row of page.rows) seen.set(`${type}/${row.id}`, row);
    }
  }
  return seen;
}
