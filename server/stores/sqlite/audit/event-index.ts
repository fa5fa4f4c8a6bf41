/**
 * The rows by which AuditEvents are found. An event is durable with its entry in the chain; its rows follow in a later
 * transaction, many events at a time, so that a read does not wait for the entries of its event in a dozen places.
 * Whoever reads events has all rows written first. What a kill leaves unindexed waits in its table.
 */
import { personKey } from '../../../access/requester.ts';
import { principal } from '../../../access/right.ts';
import { encodeLabel, NORMAL } from '../../../../profiles/confidentiality.ts';
import { repeatable, type Database } from '../database.ts';
import { DurableQueue } from '../write/durable-queue.ts';
import type { WireAudit } from '../write/protocol.ts';
import { eventParam } from './wire-audit.ts';

/** What the rows of an event are made of. */
export type Unindexed = Pick<WireAudit, 'id' | 'recorded' | 'references' | 'persons'> & { readonly form: number };

/** Queues an event that is being chained, in the same transaction. */
export function queueEvent(
  db: Database,
  sequence: number,
  { id, recorded, references, persons }: WireAudit,
  form: number,
): void {
  const event: Unindexed = { id, recorded, references, persons, form };
  db.run('INSERT INTO unindexed (sequence, event) VALUES (?, ?)', sequence, JSON.stringify(event));
}

/** Events that one transaction indexes. */
const BATCH = 500;
/** So long events wait for others to be indexed with, unless there are as many already. */
const PAUSE_MS = 20;
const AT_ONCE = 100;

/** Indexes what is queued. */
export class EventIndex extends DurableQueue {
  readonly #trail: Database;
  /** The last event that has its rows. */
  #indexed: number;
  #timer: NodeJS.Timeout | undefined;

  /** Indexes what is queued at the start, up to the head of the chain. */
  constructor(trail: Database, head: number) {
    super();
    this.#trail = trail;
    this.#indexed = head;
    this.drain();
  }

  /** Sees to it that the events up to one are indexed soon. */
  follow(sequence: number): void {
    if (sequence === this.#indexed || this.isBehind) return;
    if (sequence - this.#indexed >= AT_ONCE) this.tryDrain();
    else this.#timer ??= setTimeout(() => this.tryDrain(), PAUSE_MS);
  }

  override drain(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    super.drain();
  }

  protected doSome(): boolean {
    const db = this.#trail;
    const queued = db.all<{ sequence: number; event: string }>(
      `SELECT sequence, event FROM unindexed ORDER BY sequence LIMIT ${BATCH}`,
    );
    const last = queued.at(-1);
    if (last === undefined) return false;
    repeatable(db, () => {
      for (const { event } of queued) indexEvent(db, JSON.parse(event) as Unindexed);
      db.run('DELETE FROM unindexed WHERE sequence <= ?', last.sequence);
    });
    this.#indexed = last.sequence;
    return queued.length === BATCH;
  }
}

function indexEvent(db: Database, { id, recorded, references, persons, form }: Unindexed): void {
  const row = db.get<{ rid: number }>(INSERT, id, recorded, recorded, encodeLabel(NORMAL), form);
  if (row === undefined) throw new Error('The row was not written');
  for (const { param, target } of references) {
    db.run('INSERT OR IGNORE INTO reference (param, target, rid) VALUES (?, ?, ?)', eventParam(param), target, row.rid);
  }
  for (const person of persons) {
    db.run(SHOW, principal.patient(personKey(person)), recorded, id, `${id}|${person}`, row.rid);
  }
}

const INSERT = `INSERT INTO resource (type, id, version, updated, sort, level, released, json, form)
  VALUES ('AuditEvent', ?, 1, ?, ?, ?, 1, '', ?) RETURNING rid`;

const SHOW = `INSERT INTO acl (principal, type, sort, id, right_id, rid, relation, source, valid_from, valid_to)
  VALUES (?, 'AuditEvent', ?, ?, ?, ?, 'named', NULL, 0, 8640000000000000)`;
