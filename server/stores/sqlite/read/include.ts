/** `_include`: the rows that a page's rows refer to, under the same grant. */
import { isStoredType } from '../../../../profiles/types/visibility.ts';
import type { SearchQuery } from '../../../../profiles/search/query.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import type { Database } from '../database.ts';
import { visibleRows } from './visible.ts';

/** At most this many rows come beside a page. */
const INCLUDE_LIMIT = 1_000;

/** Finds the included rows, each once, those of the page left out: by the rows that refer to them. */
export function includedRows(
  db: Database,
  grant: AnyGrant,
  rows: readonly VisibleRow[],
  include: SearchQuery['include'],
): VisibleRow[] {
  if (rows.length === 0 || include.length === 0) return [];
  const onPage = new Set(rows.map(({ type, id }) => `${type}/${id}`));
  const wanted = new Set(referencesOf(db, rows, include).filter((reference) => !onPage.has(reference)));
  const found = new Map(wantedRows(db, grant, wanted).map((row) => [`${row.type}/${row.id}`, row]));
  return [...wanted].flatMap((reference) => found.get(reference) ?? []).slice(0, INCLUDE_LIMIT);
}

/** What rows refer to by the parameters: by row, then by parameter as they are asked for, then by name. */
function referencesOf(db: Database, rows: readonly VisibleRow[], include: SearchQuery['include']): string[] {
  const keys = JSON.stringify(rows.map(({ type, id }) => [type, id]));
  const perParam = include.map(({ param, target }) => {
    const targets = db
      .all<{ at: number; target: string }>(TARGETS, keys, param)
      .filter((found) => target === undefined || found.target.startsWith(`${target}/`));
    return Map.groupBy(targets, ({ at }) => at);
  });
  return rows.flatMap((_, at) => perParam.flatMap((targets) => targets.get(at)?.map(({ target }) => target) ?? []));
}

const TARGETS = `SELECT j.key AS at, r.target FROM json_each(?) j CROSS JOIN resource x ON x.type = j.value ->> 0
  AND x.id = j.value ->> 1
  CROSS JOIN reference r INDEXED BY reference_rid ON r.rid = x.rid 
  AND r.param = x.type || '.' || ? ORDER BY j.key, r.target`;

function wantedRows(db: Database, grant: AnyGrant, references: Iterable<string>): VisibleRow[] {
  const places = [...references].map((reference) => reference.split('/') as [type: string, id?: string]);
  const byType = Map.groupBy(places, ([type]) => type);
  return [...byType].flatMap(([type, all]) =>
    isStoredType(type)
      ? visibleRows(
          db,
          grant,
          type,
          all.map(([, id = '']) => id),
        )
      : [],
  );
}
