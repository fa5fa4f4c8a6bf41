/** Definitions of the index as the writer keeps them, and rows that are indexed anew. */
import type { IndexDefinition } from '../../../../profiles/search/index-definition.ts';
import type { ReindexedRow } from '../../../ports/search-index.ts';
import type { Database } from '../database.ts';
import type { OrderMessage, RecordOrders } from '../write/protocol.ts';
import { besideText, isMaterialised, materialiseRow } from '../rights/materialise.ts';
import { rewriteIndex, type StandingRow } from '../write/write-rows.ts';

/** An order about the index. */
export type IndexOrder = Extract<OrderMessage<RecordOrders>, { name: `index${string}` }>;

/** Applies an order about the index; answers how many rows or definitions it changed. */
export function applyIndexOrder(db: Database, { name, order }: IndexOrder): number {
  if (name === 'indexWant') return order.map((definition) => want(db, definition)).length;
  return order.filter((row) => reindexRow(db, row)).length;
}

function want(db: Database, { type, version, parameters, sort }: IndexDefinition): void {
  db.run('UPDATE index_definition SET is_wanted = 0 WHERE type = ? AND version <> ? AND is_wanted', type, version);
  db.run(WANT, type, version, JSON.stringify(parameters), sort);
}

const WANT = `
  INSERT INTO index_definition (type, version, parameters, sort, is_wanted) VALUES (?, ?, ?, ?, 1)
  ON CONFLICT DO UPDATE SET is_wanted = 1 WHERE NOT is_wanted`;

/** Whether the row stood as it was read. The access table repeats its place in lists, and what its values decide. */
function reindexRow(db: Database, { type, id, version, sort, index }: ReindexedRow): boolean {
  const row = db.get<Standing>(STANDING, type, id, version, index.definition);
  if (row === undefined) return false;
  const { rid, person, level, released } = row;
  const before = besideText(db, { rid, type });
  rewriteIndex(db, rid, type, index);
  if (row.sort !== sort) db.run('UPDATE acl SET sort = ? WHERE rid = ?', sort, rid);
  db.run('UPDATE resource SET definition = ?, sort = ? WHERE rid = ?', index.definition, sort, rid);
  if (person !== null && isMaterialised(type) && besideText(db, { rid, type }) !== before)
    materialiseRow(db, person, { rid, type, id, sort, level, released });
  return true;
}

type Standing = Pick<StandingRow, 'rid' | 'sort' | 'person' | 'level' | 'released'>;

const STANDING = `SELECT rid, sort, person, level, released FROM resource
  WHERE type = ? AND id = ? AND version = ? AND definition <> ?`;
