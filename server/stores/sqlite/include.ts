/** `_include`: the rows that a page's rows refer to, under the same grant. */
import { isStoredType } from '../../../profiles/visibility.ts';
import type { SearchQuery } from '../../../profiles/search-query.ts';
import type { Grant } from '../../access/grant.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import type { Database } from './database.ts';
import { visibleRow } from './visible.ts';

/** At most this many rows come beside a page. */
const INCLUDE_LIMIT = 1_000;

/** Finds the included rows, each once, those of the page left out. */
export function includedRows(db: Database, grant: Grant, rows: readonly VisibleRow[], include: SearchQuery['include']): VisibleRow[] {
  const seen = new Set(rows.map(({ type, id }) => `${type}/${id}`));
  const included: VisibleRow[] = [];
  for (const row of rows) {
    for (const { param, target } of include) {
      for (const reference of targetsOf(db, row, param)) {
        if (seen.has(reference) || included.length >= INCLUDE_LIMIT) continue;
        const [type = '', id = ''] = reference.split('/');
        if (!isStoredType(type) || (target !== undefined && target !== type)) continue;
        seen.add(reference);
        const found = visibleRow(db, grant, type, id);
        if (found !== undefined) included.push(found);
      }
    }
  }
  return included;
}

function targetsOf(db: Database, row: VisibleRow, param: string): string[] {
  return db
    .all<{ target: string }>(
      `SELECT target FROM reference INDEXED BY reference_rid
       WHERE rid = (SELECT rid FROM resource WHERE type = ? AND id = ?) AND param = ? ORDER BY target`,
      row.type, row.id, `${row.type}.${param}`,
    )
    .map(({ target }) => target);
}
