/** A search of events by what no index keeps, on SQLite: the events that its other conditions leave are read. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { tells } from '../../../../profiles/audit/told-by-event.ts';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import type { SortSpan } from '../../../../profiles/search/query.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import { restoreEvent } from '../../audit-chain.ts';
import { MOST_READ, READ_AT_ONCE, requireFewToRead } from '../../event-chain.ts';
import type { Database } from '../database.ts';
import type { PlainCriterion } from '../read/criteria.ts';
import { candidatesUnder } from '../read/links.ts';
import { bodyOf, seenEvent, type ChainedBody, type EventReader } from './audit-rows.ts';

/** What an index answers of a search. */
export type IndexedSearch = {
  readonly where: readonly Criterion[];
  readonly only?: PlainCriterion | undefined;
  readonly span: SortSpan | undefined;
};

/** Who reads, and the grant under which the rows of the trail are found. */
export type TrailReader = EventReader & { readonly reading: AnyGrant };

/**
 * The condition that an event is one of those that an index answers and that tell what is asked for.
 * @throws {Fault} too-costly - too many events would be read
 */
export async function eventsTelling(
  trail: Database,
  reader: TrailReader,
  { where, only, span }: IndexedSearch,
  read: readonly Criterion[],
): Promise<PlainCriterion> {
  const places = candidatesUnder(trail, reader.reading, 'AuditEvent', where, { only, span }).page(
    undefined,
    MOST_READ + 1,
  );
  requireFewToRead(places.length, read);
  const found: number[] = [];
  for (let at = 0; at < places.length; at += READ_AT_ONCE) {
    const rids = places.slice(at, at + READ_AT_ONCE).map(({ rid }) => rid);
    found.push(...telling(trail, reader, rids, read));
    await nextTurn();
  }
  const condition = { text: 'x.rid IN (SELECT value FROM json_each(?))', values: [JSON.stringify(found)] };
  return { kind: 'condition', condition };
}

function telling(
  trail: Database,
  reader: EventReader,
  rids: readonly number[],
  read: readonly Criterion[],
): readonly number[] {
  return trail.all<TellingRow>(EVENTS, JSON.stringify(rids)).flatMap(({ rid, agents, entities, ...chained }) => {
    const event = seenEvent(reader, restoreEvent(bodyOf(chained), { agents: side(agents), entities: side(entities) }));
    return event !== undefined && tells(event, read) ? [rid] : [];
  });
}

type TellingRow = ChainedBody & {
  readonly rid: number;
  readonly agents: string | null;
  readonly entities: string | null;
};

function side(json: string | null) {
  return json === null ? undefined : { salt: '', json };
}

const EVENTS = `SELECT j.value AS rid, c.body, f.frame, a.json AS agents, e.json AS entities
  FROM json_each(?) j CROSS JOIN resource x ON x.rid = j.value CROSS JOIN chain c ON c.id = x.id
  LEFT JOIN event_form f ON f.form = c.form
  LEFT JOIN personal a ON a.id = c.id AND a.side = 'agents'
  LEFT JOIN personal e ON e.id = c.id AND e.side = 'entities'`;
