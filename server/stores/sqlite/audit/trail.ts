/** AuditTrail on SQLite: events by the writer thread, verification on a reader. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditTrail, Sealing, TrailHead, Verification } from '../../../ports/audit-trail.ts';
import type { AuditRecord } from '../../../ports/commit-plan.ts';
import {
  EMPTY_CHAIN,
  mentionsName,
  verifyEnd,
  verifyEntry,
  verifyKnownHead,
  type ChainEntry,
} from '../../audit-chain.ts';
import { BODY_COLUMNS, bodyOf, personalSide, type ChainedBody } from './audit-rows.ts';
import type { Database } from '../database.ts';
import { toWireAudit } from './wire-audit.ts';
import type { Writer } from '../write/writer.ts';

const BATCH = 500;

/** The adapter. */
export class SqliteAuditTrail implements AuditTrail {
  readonly #trail: Database;
  readonly #records: Database;
  readonly #writer: Writer;

  constructor(trail: Database, records: Database, writer: Writer) {
    this.#trail = trail;
    this.#records = records;
    this.#writer = writer;
  }

  async record(records: readonly AuditRecord[]): Promise<void> {
    await this.#writer.send('audit', records.map(toWireAudit));
  }

  head(): Promise<TrailHead> {
    return this.#writer.send('head', undefined);
  }

  /** Events of commits wait in the outbox, when the trail cannot take them. The head is asked for: the writer lives. */
  async sealing(): Promise<Sealing> {
    await this.head();
    const waiting = this.#records.get<{ since: number | null }>(
      "SELECT min(record ->> '$.event.recorded') AS since FROM audit_outbox",
    );
    return { waitingSince: waiting?.since ?? undefined, failures: 0 };
  }

  /** Looks on this thread, a part of the trail at a time. */
  async eraseEntities(names: ReadonlySet<string>): Promise<number> {
    await this.head();
    let erased = 0;
    for (let last = 0, more = true; more;) {
      const batch = this.#trail.all<{ sequence: number; id: string; json: string | null }>(
        "SELECT c.sequence, c.id, p.json FROM chain c LEFT JOIN personal p ON p.id = c.id AND p.side = 'entities' " +
          'WHERE c.sequence > ? ORDER BY c.sequence LIMIT 0 + ?',
        last,
        BATCH,
      );
      const found = batch.filter(({ json }) => json !== null && mentionsName(json, names)).map(({ id }) => id);
      if (found.length > 0) await this.#writer.send('eraseEntities', found);
      erased += found.length;
      last = batch.at(-1)?.sequence ?? last;
      more = batch.length === BATCH;
      await nextTurn();
    }
    return erased;
  }

  async verify(known?: TrailHead): Promise<Verification> {
    await this.head();
    return verifyChain(this.#trail, known);
  }
}

/** Walks a chain; also used on the file of a stopped server. */
export function verifyChain(trail: Database, known?: TrailHead): Verification {
  let head: TrailHead = EMPTY_CHAIN;
  let erased = 0;
  for (let more = true; more;) {
    const batch = trail.all<Omit<ChainEntry, 'body'> & ChainedBody & { id: string }>(
      `SELECT c.sequence, c.id, c.hash, ${BODY_COLUMNS} WHERE c.sequence > ? ORDER BY c.sequence LIMIT 0 + ?`,
      head.sequence,
      BATCH,
    );
    for (const chained of batch) {
      const entry = { ...chained, body: bodyOf(chained) };
      const personal = personalSide(trail, entry.id);
      const reason = verifyEntry(head, entry, personal) ?? verifyKnownHead(entry, known);
      if (reason !== undefined) return { whole: false, sequence: head.sequence + 1, reason };
      if (personal.agents === undefined || personal.entities === undefined) erased += 1;
      head = { sequence: entry.sequence, hash: entry.hash };
    }
    more = batch.length === BATCH;
  }
  return verifyEnd(head, erased, known);
}
