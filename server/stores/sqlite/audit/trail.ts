/** AuditTrail on SQLite: events by the writer thread, verification on a reader. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditTrail, Sealing, TrailHead, Verification } from '../../../ports/audit-trail.ts';
import { requireEvents } from '../../../ports/bounds.ts';
import type { AuditRecord } from '../../../ports/commit-plan.ts';
import { mentionsName, type PersonalSide } from '../../audit-chain.ts';
import { readHead } from '../write/write-trail.ts';
import { verifyChain } from './verify.ts';
import type { Database } from '../database.ts';
import { toWireAudit } from './wire-audit.ts';
import type { Writers } from '../write/writers.ts';

const BATCH = 500;

/** The adapter. */
export class SqliteAuditTrail implements AuditTrail {
  readonly #trail: Database;
  readonly #records: Database;
  readonly #writers: Writers;

  constructor(trail: Database, records: Database, writers: Writers) {
    this.#trail = trail;
    this.#records = records;
    this.#writers = writers;
  }

  async record(records: readonly AuditRecord[]): Promise<void> {
    requireEvents(records);
    await this.#writers.record(records);
  }

  head(): Promise<TrailHead> {
    return this.#writers.trail.send('head', undefined);
  }

  /** What a reader sees is synced: a commit shows after its sync. */
  async sealedHead(): Promise<TrailHead> {
    return readHead(this.#trail);
  }

  async hashAt(sequence: number): Promise<string | undefined> {
    return this.#trail.get<{ hash: string }>('SELECT hash FROM chain WHERE sequence = ?', sequence)?.hash;
  }

  /** There is one process. */
  async whileSealing<T>(work: () => Promise<T>): Promise<T | undefined> {
    return await work();
  }

  /** Events of commits wait in the outbox, when the trail cannot take them. The head is asked for: the writer lives. */
  async sealing(): Promise<Sealing> {
    await this.head();
    const waiting = this.#records.get<{ since: number | null }>(
      "SELECT min(record ->> '$.event.recorded') AS since FROM audit_outbox WHERE position > ?",
      this.#writers.moved(),
    );
    return { waitingSince: waiting?.since ?? undefined, failures: 0 };
  }

  /** Looks on this thread, a part of the trail at a time. */
  async eraseEntities(names: ReadonlySet<string>, recordOf: (events: number) => AuditRecord): Promise<number> {
    await this.head();
    let erased = 0;
    const erase = async (found: readonly Mentioning[]): Promise<void> => {
      if (found.length === 0) return;
      const record = toWireAudit({ ...recordOf(found.length), erased: found.map(({ sequence }) => sequence) });
      await this.#writers.trail.send('eraseEntities', { ids: found.map(({ id }) => id), record });
      erased += found.length;
    };
    const found: Mentioning[] = [];
    for (let last = 0, more = true; more;) {
      const batch = this.#trail.all<Mentioning & Told>(TOLD, last, BATCH);
      found.push(...batch.filter((one) => mentionsName(sideOf(one), names)));
      if (found.length >= BATCH) await erase(found.splice(0));
      last = batch.at(-1)?.sequence ?? last;
      more = batch.length === BATCH;
      await nextTurn();
    }
    await erase(found);
    return erased;
  }

  async verify(known?: readonly TrailHead[]): Promise<Verification> {
    await this.head();
    return verifyChain(this.#trail, known);
  }
}

/** An event that is to be erased in part. */
type Mentioning = { readonly sequence: number; readonly id: string };

/** What it tells of entities, and the query as it was asked, as JSON. */
type Told = { readonly entities: string | null; readonly request: string | null };

function sideOf({ entities, request }: Told): Pick<PersonalSide, 'entities' | 'request'> {
  const partOf = (json: string | null) => (json === null ? undefined : { salt: '', json });
  return { entities: partOf(entities), request: partOf(request) };
}

const TOLD = `SELECT c.sequence, c.id, p.json AS entities, r.json AS request FROM chain c
  LEFT JOIN personal p ON p.id = c.id AND p.side = 'entities'
  LEFT JOIN personal r ON r.id = c.id AND r.side = 'request'
  WHERE c.sequence > ? ORDER BY c.sequence LIMIT 0 + ?`;
