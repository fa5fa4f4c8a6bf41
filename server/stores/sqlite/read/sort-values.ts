/** What rows have of the keys of an order that is not their list's: read for all of them, a statement a key. */
import { firstOfValues, type SortKey, type SortValue } from '../../../../profiles/search/order.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { Database } from '../database.ts';
import type { Place } from './candidates.ts';
import { isEvent, stampOf } from './criteria.ts';

/** The values of rows of a type under each key, in the order of the rows. */
export function sortValuesOf(
  db: Database,
  type: StoredType,
  order: readonly SortKey[],
  places: readonly Place[],
): readonly (readonly SortValue[])[] {
  const rids = JSON.stringify(places.map(({ rid }) => rid));
  const byKey = order.map((key) => valuesOf(db, type, key, places, rids));
  return places.map((_, at) => byKey.map((values) => values[at] ?? null));
}

function valuesOf(
  db: Database,
  type: StoredType,
  key: SortKey,
  places: readonly Place[],
  rids: string,
): readonly SortValue[] {
  if (key.by === 'moment') return places.map(({ sort }) => sort);
  if (key.by === 'id') return places.map(({ id }) => id);
  const stamp = key.by === 'date' ? stampOf(type, key.param) : undefined;
  const found =
    stamp === undefined
      ? db.all<Found>(entriesOf(type, key.by), rids, `${type}.${key.param}`)
      : db.all<Found>(`SELECT j.key AS at, x.${stamp} AS value FROM ${ROWS}`, rids);
  const byRow = Map.groupBy(found, ({ at }) => at);
  return places.map((_, at) =>
    firstOfValues(
      (byRow.get(at) ?? []).map(({ value }) => value),
      key.descending,
    ),
  );
}

type Found = { readonly at: number; readonly value: string | number };

const ROWS = 'json_each(?) j CROSS JOIN resource x ON x.rid = j.value';

const COLUMN = {
  token: ['token', 'value'],
  reference: ['reference', 'target'],
  date: ['date_range', 'lo'],
  string: ['string_value', 'value'],
} as const;

function entriesOf(type: StoredType, by: keyof typeof COLUMN): string {
  const [table, column] = COLUMN[by];
  const [rows, owner] = isEvent(type) ? [ROWS, 'x.form'] : ['json_each(?) j', 'j.value'];
  return `SELECT j.key AS at, v.${column} AS value FROM ${rows}
    CROSS JOIN ${table} v INDEXED BY ${table}_rid ON v.rid = ${owner} AND v.param = ?`;
}
