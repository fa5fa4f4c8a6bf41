/** AuditTrail on SQLite: events by the writer thread, verification on a reader. */
import type { AuditTrail, TrailHead, Verification } from '../../ports/audit-trail.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import { EMPTY_CHAIN, verifyEnd, verifyEntry, verifyKnownHead, type ChainEntry } from '../audit-chain.ts';
import { personalSide } from './audit-rows.ts';
import type { Database } from './database.ts';
import { toWireAudit } from './records.ts';
import type { Writer } from './writer.ts';

const BATCH = 500;

/** The adapter. */
export class SqliteAuditTrail implements AuditTrail {
  readonly #trail: Database;
  readonly #writer: Writer;

  constructor(trail: Database, writer: Writer) {
    this.#trail = trail;
    this.#writer = writer;
  }

  async record(records: readonly AuditRecord[]): Promise<void> {
    await this.#writer.send('audit', records.map(toWireAudit));
  }

  head(): Promise<TrailHead> {
    return this.#writer.send('head', undefined);
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
  for (let more = true; more; ) {
    const batch = trail.all<ChainEntry & { id: string }>(
      'SELECT sequence, id, hash, body FROM chain WHERE sequence > ? ORDER BY sequence LIMIT ?',
      head.sequence,
      BATCH,
    );
    for (const entry of batch) {
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
