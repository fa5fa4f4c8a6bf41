/** Appends events to the audit file: the chain, the personal side, the row and its search values. */
import { personKey } from '../../access/requester.ts';
import { principal } from '../../access/right.ts';
import type { TrailHead } from '../../ports/audit-trail.ts';
import { EMPTY_CHAIN, sealEvent } from '../audit-chain.ts';
import type { Database } from './database.ts';
import type { WireAudit } from './protocol.ts';
import { presentKey } from './rekey.ts';
import { writeRow } from './write-rows.ts';

/** Reads the head of the chain. */
export function readHead(db: Database): TrailHead {
  return db.get<TrailHead>('SELECT sequence, hash FROM chain ORDER BY sequence DESC LIMIT 1') ?? EMPTY_CHAIN;
}

/** Appends the events that are not there yet, in order; returns the new head. */
export function appendEvents(db: Database, head: TrailHead, records: readonly WireAudit[]): TrailHead {
  let last = head;
  for (const record of records) {
    if (db.get('SELECT 1 FROM chain WHERE id = ?', record.event.id) === undefined) last = appendEvent(db, last, record);
  }
  return last;
}

function appendEvent(db: Database, head: TrailHead, { event, persons, index }: WireAudit): TrailHead {
  const { entry, personal } = sealEvent(head, event);
  db.run('INSERT INTO chain (sequence, id, hash, body) VALUES (?, ?, ?, ?)', entry.sequence, event.id, entry.hash, entry.body);
  for (const side of ['agents', 'entities'] as const) {
    const part = personal[side];
    if (part !== undefined) db.run('INSERT INTO personal (id, side, salt, json) VALUES (?, ?, ?, ?)', event.id, side, part.salt, part.json);
  }
  const sort = Date.parse(event.recorded ?? '');
  const row = { type: 'AuditEvent', id: event.id, version: 1, updated: sort, sort, level: 'N', released: true, json: '' } as const;
  const rid = writeRow(db, undefined, row, index);
  for (const person of persons) {
    db.run(SHOW, principal.patient(personKey(presentKey(db, person))), sort, event.id, `${event.id}|${person}`, rid);
  }
  return { sequence: entry.sequence, hash: entry.hash };
}

const SHOW = `INSERT INTO acl (principal, type, sort, id, right_id, rid, relation, source, valid_from, valid_to)
  VALUES (?, 'AuditEvent', ?, ?, ?, ?, 'named', NULL, 0, 8640000000000000)`;
