/** Appends events to the audit file: the chain and the personal side. Their rows follow (event-index.ts). */
import type { TrailHead } from '../../../ports/audit-trail.ts';
import { EMPTY_CHAIN, sealBody, SIDES } from '../../audit-chain.ts';
import type { Database } from '../database.ts';
import { wholeBody } from '../audit/event-body.ts';
import { formOf } from '../audit/event-form.ts';
import { queueEvent } from '../audit/event-index.ts';
import type { TrailOrders, WireAudit } from './protocol.ts';

/** Reads the head of the chain. */
export function readHead(db: Database): TrailHead {
  return db.get<TrailHead>('SELECT sequence, hash FROM chain ORDER BY sequence DESC LIMIT 1') ?? EMPTY_CHAIN;
}

/** The hash of a record; undefined when the chain does not hold it. */
export function hashAt(db: Database, sequence: number): string | undefined {
  return db.get<{ hash: string }>('SELECT hash FROM chain WHERE sequence = ?', sequence)?.hash;
}

/** Appends the events that are not there yet, in order; returns the new head. */
export function appendEvents(db: Database, head: TrailHead, records: readonly WireAudit[]): TrailHead {
  let last = head;
  for (const record of records) last = appendEvent(db, last, record);
  return last;
}

/** Erases what events tell of entities, or of agents, with the event that tells of it; returns the new head. */
export function erasePersonal(
  db: Database,
  head: TrailHead,
  { entities, agents, record }: TrailOrders['erasePersonal']['order'],
): TrailHead {
  for (const id of entities) db.run("DELETE FROM personal WHERE id = ? AND side IN ('entities', 'request')", id);
  for (const id of agents) db.run("DELETE FROM personal WHERE id = ? AND side = 'agents'", id);
  return appendEvent(db, head, record);
}

function appendEvent(db: Database, head: TrailHead, event: WireAudit): TrailHead {
  const { id, body, personal } = event;
  const { sequence, hash } = sealBody(head, wholeBody(body));
  const form = formOf(db, event);
  if (db.run(APPEND, sequence, id, hash, body.values, form) === 0) return head;
  for (const side of SIDES) {
    const part = personal[side];
    if (part !== undefined)
      db.run('INSERT INTO personal (id, side, salt, json) VALUES (?, ?, ?, ?)', id, side, part.salt, part.json);
  }
  queueEvent(db, sequence, event, form);
  return { sequence, hash };
}

const APPEND = 'INSERT INTO chain (sequence, id, hash, body, form) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING';
