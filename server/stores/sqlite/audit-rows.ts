/** AuditEvents as they are read: the chained body and what is left of the personal side. */
import type { VisibleRow } from '../../ports/record-store.ts';
import { restoreEvent, type PersonalSide } from '../audit-chain.ts';
import type { Database } from './database.ts';

/** The personal side of an event that is still kept. */
export function personalSide(db: Database, id: string): PersonalSide {
  const rows = db.all<{ side: string; salt: string; json: string }>('SELECT side, salt, json FROM personal WHERE id = ?', id);
  const of = (side: string): { salt: string; json: string } | undefined => rows.find((row) => row.side === side);
  return { agents: of('agents'), entities: of('entities') };
}

/** Fills a row of the audit file with its event as JSON. */
export function hydrateEvent(db: Database, row: VisibleRow): VisibleRow {
  const chained = db.get<{ body: string }>('SELECT body FROM chain WHERE id = ?', row.id);
  if (chained === undefined) throw new Error('An event is missing from the chain');
  const event = restoreEvent(chained.body, personalSide(db, row.id));
  const meta = { versionId: String(row.version), lastUpdated: new Date(row.updated).toISOString() };
  return { ...row, json: JSON.stringify({ resourceType: 'AuditEvent', id: row.id, meta, ...withoutKeys(event) }) };
}

function withoutKeys<T extends object>(event: T): object {
  const { resourceType: _r, id: _i, meta: _m, ...rest } = event as { resourceType?: unknown; id?: unknown; meta?: unknown };
  return rest;
}
