/** The audit outbox: what commits put into the record file moves to the trail, in order and once. */
import type { AuditRecord } from '../../../ports/commit-plan.ts';
import type { TrailHead } from '../../../ports/audit-trail.ts';
import { repeatable, transaction, type Database } from '../database.ts';
import { DurableQueue } from './durable-queue.ts';
import type { OutboxEntry, WireAudit } from './protocol.ts';
import { rekeyTrail } from './rekey.ts';
import { toWireAudit } from '../audit/wire-audit.ts';
import { appendEvents } from './write-trail.ts';

const BATCH = 1_000;

/** Moves entries and owns the head of the chain, which every other writer of the trail asks for and moves on. */
export class Outbox extends DurableQueue {
  head: TrailHead;
  readonly #records: Database;
  readonly #trail: Database;

  constructor(records: Database, trail: Database, head: TrailHead) {
    super();
    this.#records = records;
    this.#trail = trail;
    this.head = head;
  }

  /** A crash between the two files repeats it; ids make that harmless. */
  protected doSome(): boolean {
    const waiting = this.#records.all<{ position: number; record: string }>(
      `SELECT position, record FROM audit_outbox ORDER BY position LIMIT ${BATCH}`,
    );
    const last = waiting.at(-1);
    if (last === undefined) return false;
    const entries = waiting.map(({ record }) => JSON.parse(record) as OutboxEntry);
    let next = this.head;
    transaction(this.#trail, () => {
      next = appendEvents(
        this.#trail,
        this.head,
        entries.flatMap((entry) => ('event' in entry ? [wireAuditOf(entry.event)] : [])),
      );
      for (const entry of entries) if ('rekey' in entry) rekeyTrail(this.#trail, entry.rekey);
    });
    this.head = next;
    repeatable(
      this.#records,
      () => void this.#records.run('DELETE FROM audit_outbox WHERE position <= ?', last.position),
    );
    return true;
  }
}

/** An event of an earlier server may have waited whole. */
function wireAuditOf(event: WireAudit | AuditRecord): WireAudit {
  return 'event' in event ? toWireAudit(event) : event;
}
