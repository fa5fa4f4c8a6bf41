/** Appends events to the audit file: the chain, the personal side, the row and its search values. */
import { personKey } from '../../access/requester.ts';
import { principal } from '../../access/right.ts';
import type { TrailHead } from '../../ports/audit-trail.ts';
import { EMPTY_CHAIN, sealBody } from '../audit-chain.ts';
import type { Database } from './database.ts';
import { wholeBody } from './event-body.ts';
import { formOf, writeEventRow } from './event-rows.ts';
import type { WireAudit } from './protocol.ts';
import { presentKey } from './rekey.ts';

/** Reads the head of the chain. */
export function readHead(db: Database): TrailHead {
  return db.get<TrailHead>('SELECT sequence, hash FROM chain ORDER BY sequence DESC LIMIT 1') ?? EMPTY_CHAIN;
}

/** Appends the events that are not there yet, in order; returns the new head. */
export function appendEvents(db: Database, head: TrailHead, records: readonly WireAudit[]): TrailHead {
  let last = head;
  for (const record of records) last = appendEvent(db, last, record);
  return last;
}

function appendEvent(db: Database, head: TrailHead, event: WireAudit): TrailHead {
  const { id, body, personal, recorded, persons } = event;
  const { sequence, hash } = sealBody(head, wholeBody(body));
  const form = formOf(db, event);
  if (db.run(APPEND, sequence, id, hash, body.values, form) === 0) return head;
  for (const side of ['agents', 'entities'] as const) {
    const part = personal[side];
    if (part !== undefined) db.run('INSERT INTO personal (id, side, salt, json) VALUES (?, ?, ?, ?)', id, side, part.salt, part.json);
  }
  const rid = writeEventRow(db, event, form);
  for (const person of persons) {
    db.run(SHOW, principal.patient(personKey(presentKey(db, person))), recorded, id, `${id}|${person}`, rid);
  }
  return { sequence, hash };
}

const APPEND = 'INSERT INTO chain (sequence, id, hash, body, form) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING';

const SHOW = `INSERT INTO acl (principal, type, sort, id, right_id, rid, relation, source, valid_from, valid_to)
  VALUES (?, 'AuditEvent', ?, ?, ?, ?, 'named', NULL, 0, 8640000000000000)`;
