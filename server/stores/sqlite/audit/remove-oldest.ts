/** Removes the oldest events, with the rows by which they are found, and what else was filed of them. */
import { indexAuditEvent } from '../../../../profiles/search/audit-event-index.ts';
import type { ChainedEvent } from '../../audit-chain.ts';
import type { Database } from '../database.ts';
import { BODY_COLUMNS, bodyOf, type ChainedBody } from './audit-rows.ts';
import { eventParam, referencesOf } from './wire-audit.ts';

/** Events that one transaction removes: readers wait for it. */
const BATCH = 200;

type Chained = ChainedBody & { readonly sequence: number; readonly id: string };

/** Removes some, up to a record, in the present transaction; answers how many. Forms, which others share, stay. */
export function removeOldest(db: Database, last: number): number {
  const oldest = db.all<Chained>(
    `SELECT c.sequence, c.id, ${BODY_COLUMNS} WHERE c.sequence <= ? ORDER BY c.sequence LIMIT ${BATCH}`,
    last,
  );
  for (const chained of oldest) {
    removeRows(db, JSON.parse(bodyOf(chained)) as ChainedEvent);
    db.run('DELETE FROM unindexed WHERE sequence = ?', chained.sequence);
    db.run('DELETE FROM personal WHERE id = ?', chained.id);
    db.run('DELETE FROM chain WHERE sequence = ?', chained.sequence);
  }
  return oldest.length;
}

/** Nothing leads from a row to its references: they are those that the event makes. */
function removeRows(db: Database, event: ChainedEvent): void {
  const row = db.get<{ rid: number }>("SELECT rid FROM resource WHERE type = 'AuditEvent' AND id = ?", event.id);
  if (row === undefined) return;
  for (const { param, target } of referencesOf(indexAuditEvent(event, event.indexed ?? 1).references))
    db.run('DELETE FROM reference WHERE param = ? AND target = ? AND rid = ?', eventParam(param), target, row.rid);
  db.run('DELETE FROM acl WHERE rid = ?', row.rid);
  db.run('DELETE FROM resource WHERE rid = ?', row.rid);
}
