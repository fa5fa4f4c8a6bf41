/** Rows beside a page, under the same grant: `_include`, what its rows refer to; `_revinclude`, what refers to them. */
import { isStoredType } from '../../../../profiles/types/visibility.ts';
import type { SearchQuery } from '../../../../profiles/search/query.ts';
import type { Referrer } from '../../../../profiles/search/referrers.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import { MAX_INCLUDED_ROWS, type SearchPage, type VisibleRow } from '../../../ports/record-store.ts';
import type { Database } from '../database.ts';
import { candidatesOf } from './candidates.ts';
import { visibleRows, visibleRowsAt } from './visible.ts';

/** Finds the rows beside a page, each once, those of the page left out. */
export function besideRows(
  db: Database,
  grant: AnyGrant,
  rows: readonly VisibleRow[],
  { include, revinclude = [] }: SearchQuery,
): Pick<SearchPage, 'included' | 'isCut'> {
  if (rows.length === 0 || include.length + revinclude.length === 0) return { included: [] };
  const onPage = new Set(rows.map(referenceOf));
  const beside = new Map(includedRows(db, grant, rows, include, onPage).map((row) => [referenceOf(row), row]));
  // One more than may come tells that some do not.
  const most = MAX_INCLUDED_ROWS + 1 + onPage.size;
  for (const referrer of revinclude)
    for (const row of referringRows(db, grant, onPage, referrer, most + beside.size)) beside.set(referenceOf(row), row);
  const included = [...beside].flatMap(([reference, row]) => (onPage.has(reference) ? [] : [row]));
  const isCut = included.length > MAX_INCLUDED_ROWS;
  return { included: included.slice(0, MAX_INCLUDED_ROWS), ...(isCut ? { isCut } : {}) };
}

function referenceOf({ type, id }: Pick<VisibleRow, 'type' | 'id'>): string {
  return `${type}/${id}`;
}

function referringRows(
  db: Database,
  grant: AnyGrant,
  references: ReadonlySet<string>,
  { source, param }: Referrer,
  limit: number,
): VisibleRow[] {
  const criterion = { kind: 'reference', param, values: [...references], isFound: true } as const;
  const places = candidatesOf(db, grant, source, [criterion]).page(undefined, limit);
  return visibleRowsAt(
    db,
    grant,
    places.map(({ rid }) => rid),
  );
}

function includedRows(
  db: Database,
  grant: AnyGrant,
  rows: readonly VisibleRow[],
  include: SearchQuery['include'],
  onPage: ReadonlySet<string>,
): VisibleRow[] {
  if (include.length === 0) return [];
  const wanted = [...new Set(referencesOf(db, rows, include).filter((reference) => !onPage.has(reference)))];
  const included: VisibleRow[] = [];
  for (let at = 0; at < wanted.length && included.length <= MAX_INCLUDED_ROWS; at += MAX_INCLUDED_ROWS) {
    const some = wanted.slice(at, at + MAX_INCLUDED_ROWS);
    const found = new Map(wantedRows(db, grant, some).map((row) => [referenceOf(row), row]));
    included.push(...some.flatMap((reference) => found.get(reference) ?? []));
  }
  return included;
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
