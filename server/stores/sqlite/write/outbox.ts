/**
 * The audit outbox: what commits put into the file of records moves to the trail, in order and once. The thread of the
 * trail reads entries and chains them; that of the records removes what the other says has moved. Positions never come
 * twice, so a mark is enough; after a kill, what was moved and not removed is moved again, which ids make harmless.
 */
import type { AuditRecord, Move } from '../../../ports/commit-plan.ts';
import type { TrailHead } from '../../../ports/audit-trail.ts';
import { repeatable, storageTrouble, transaction, type Database } from '../database.ts';
import { DurableQueue } from './durable-queue.ts';
import type { GroupResult } from './order-thread.ts';
import type { OutboxEntry, TrailOrders, WireAudit } from './protocol.ts';
import { moveTrail } from './move.ts';
import { forgetForms } from '../audit/event-form.ts';
import { toWireAudit } from '../audit/wire-audit.ts';
import { appendEvents, erasePersonal } from './write-trail.ts';

/** Entries that one transaction moves: readers of other events wait for it. */
const BATCH = 200;

/** The end of the outbox at the trail. It owns the head of the chain. */
export class Outbox extends DurableQueue {
  head: TrailHead;
  readonly #records: Database;
  readonly #trail: Database;
  readonly #moved: BigInt64Array;

  constructor(records: Database, trail: Database, head: TrailHead, moved: BigInt64Array) {
    super();
    this.#records = records;
    this.#trail = trail;
    this.head = head;
    this.#moved = moved;
  }

  /** Chains events in the present transaction. */
  append(events: readonly WireAudit[]): void {
    this.#orBack(() => {
      this.head = appendEvents(this.#trail, this.head, events);
    });
  }

  /** Erases personal sides of events, in the present transaction. */
  erase(order: TrailOrders['erasePersonal']['order']): void {
    this.#orBack(() => {
      this.head = erasePersonal(this.#trail, this.head, order);
    });
  }

  /** Runs a group that appends; when it does not stand, the head is as it was, and when it calls `back`. */
  whole(group: (back: () => void) => GroupResult): GroupResult {
    const before = this.head;
    const back = (): void => this.#goBack(before);
    const result = group(back);
    if (!result.isCommitted) back();
    return result;
  }

  protected doSome(): boolean {
    const waiting = this.#records.all<{ position: number; record: string }>(
      `SELECT position, record FROM audit_outbox WHERE position > ? ORDER BY position LIMIT ${BATCH}`,
      Number(Atomics.load(this.#moved, 0)),
    );
    const last = waiting.at(-1);
    if (last === undefined) return false;
    const entries = waiting.map(({ record }) => JSON.parse(record) as OutboxEntry);
    this.#orBack(() =>
      transaction(this.#trail, () => {
        this.append(entries.flatMap((entry) => ('event' in entry ? [wireAuditOf(entry.event)] : [])));
        for (const entry of entries) if (!('event' in entry)) moveTrail(this.#trail, moveOf(entry));
      }),
    );
    Atomics.store(this.#moved, 0, BigInt(last.position));
    return waiting.length === BATCH;
  }

  #orBack(work: () => void): void {
    const before = this.head;
    try {
      work();
    } catch (error) {
      this.#goBack(before);
      throw error;
    }
  }

  /** What was undone in the file is undone in memory. */
  #goBack(head: TrailHead): void {
    this.head = head;
    forgetForms(this.#trail);
  }
}

/** Earlier servers joined whole persons. */
function moveOf(entry: Exclude<OutboxEntry, { readonly event: unknown }>): Pick<Move, 'home' | 'to'> {
  return 'move' in entry ? entry.move : { home: entry.rekey.from, to: entry.rekey.to };
}

/** An event of an earlier server may have waited whole. */
function wireAuditOf(event: WireAudit | AuditRecord): WireAudit {
  return 'event' in event ? toWireAudit(event) : event;
}

/** The end of the outbox at the records: removes what has moved. */
export class OutboxEnd {
  readonly #records: Database;
  readonly #moved: BigInt64Array;
  #removed = 0n;

  constructor(records: Database, moved: BigInt64Array) {
    this.#records = records;
    this.#moved = moved;
  }

  /** Runs a group of commits, whose transaction also removes. */
  within(group: (remove: () => void) => GroupResult): GroupResult {
    const moved = Atomics.load(this.#moved, 0);
    const result = group(() => this.#remove(moved));
    if (result.isCommitted) this.#removed = moved;
    return result;
  }

  /** Now. */
  tidy(): void {
    const moved = Atomics.load(this.#moved, 0);
    if (moved === this.#removed) return;
    repeatable(this.#records, () => this.#remove(moved));
    this.#removed = moved;
  }

  /** Now, unless the disk is in trouble. */
  tryTidy(): void {
    try {
      this.tidy();
    } catch (error) {
      if (storageTrouble(error) === undefined) throw error;
    }
  }

  #remove(moved: bigint): void {
    if (moved !== this.#removed) this.#records.run('DELETE FROM audit_outbox WHERE position <= ?', Number(moved));
  }
}
