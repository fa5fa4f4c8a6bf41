/** AuditTrail on SQLite: events by the writer thread, verification on a reader. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PersonKey } from '../../../access/requester.ts';
import type { AuditTrail, Cutting, ErasedPerson, Sealing } from '../../../ports/audit-trail.ts';
import type { TrailHead, Verification } from '../../../ports/audit-trail.ts';
import { requireEvents } from '../../../ports/bounds.ts';
import type { AuditRecord } from '../../../ports/commit-plan.ts';
import { countErased, cutText } from '../../audit-chain.ts';
import { findOldest } from '../../chain-walk.ts';
import { partsNaming, partsOfPerson, type GoingParts, type ToldEvent } from '../../erasing-events.ts';
import { hashAt, readHead } from '../write/write-trail.ts';
import { BODY_COLUMNS, bodyOf, type ChainedBody } from './audit-rows.ts';
import { verifyChain } from './verify.ts';
import type { Database } from '../database.ts';
import { toWireAudit } from './wire-audit.ts';
import type { Writers } from '../write/writers.ts';

const BATCH = 500;

type RecordOf = (events: number) => AuditRecord;
type GoOn = () => Promise<void>;

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
    return hashAt(this.#trail, sequence);
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

  async eraseEntities(
    names: ReadonlySet<string>,
    recordOf: RecordOf,
    goOn?: GoOn,
    readers?: ReadonlySet<PersonKey>,
  ): Promise<number> {
    const sql = readers === undefined ? TOLD : TOLD_WHOLE;
    return await this.#erase(sql, (told) => partsNaming(told, names, readers), recordOf, goOn);
  }

  async erasePerson(who: ErasedPerson, recordOf: RecordOf, goOn?: GoOn): Promise<number> {
    return await this.#erase(TOLD_WHOLE, (told) => partsOfPerson(told, who), recordOf, goOn);
  }

  /** Looks on this thread, a part of the trail at a time. */
  async #erase(
    sql: string,
    partsOf: (told: ToldEvent) => GoingParts,
    recordOf: RecordOf,
    goOn: GoOn = nextTurn,
  ): Promise<number> {
    await this.head();
    let erased = 0;
    const erase = async (found: readonly Going[]): Promise<void> => {
      if (found.length === 0) return;
      const [entities, agents] = [found.filter((one) => one.entities), found.filter((one) => one.agents)];
      const taken = { erased: entities.map(sequenceOf), erasedAgents: agents.map(sequenceOf) };
      const record = toWireAudit({ ...recordOf(found.length), ...taken });
      const order = { entities: entities.map(({ id }) => id), agents: agents.map(({ id }) => id), record };
      await this.#writers.trail.send('erasePersonal', order);
      erased += found.length;
    };
    const found: Going[] = [];
    for (let last = 0, more = true; more;) {
      const batch = this.#trail.all<Told>(sql, last, BATCH);
      const going = batch.map((one) => ({ sequence: one.sequence, id: one.id, ...partsOf(toldEvent(one)) }));
      found.push(...going.filter(({ entities, agents }) => entities || agents));
      if (found.length >= BATCH) await erase(found.splice(0));
      last = batch.at(-1)?.sequence ?? last;
      more = batch.length === BATCH;
      await nextTurn();
      if (more) await goOn();
    }
    await erase(found);
    return erased;
  }

  async cut(cutting: Cutting, goOn: GoOn = nextTurn): Promise<number> {
    const { sequence: end } = await this.head();
    const trail = this.#trail;
    const some = (sql: string, sequence: number) =>
      trail.all<TrailHead & ChainedBody>(sql, sequence, BATCH).map((one) => ({ ...one, body: bodyOf(one) }));
    const source = {
      after: async (sequence: number) => some(AFTER, sequence),
      before: async (sequence: number) => some(BEFORE, sequence),
      goOn,
    };
    const { records, undated, last, before } = await findOldest(source, end, cutting);
    if (records === 0) return 0;
    const cut = { ...last, before: new Date(before).toISOString() };
    const { record, seal } = await cutting.tell(cut, records, undated);
    await this.#writers.record([{ ...record, cut: cutText(cut, seal) }]);
    while ((await this.#writers.trail.send('removeOldest', { last: cut.sequence })) > 0) await goOn();
    return records;
  }

  async countErased(told: readonly string[]): Promise<number> {
    await this.head();
    const sql = `SELECT ${BODY_COLUMNS} WHERE c.id = ?`;
    const chained = told.flatMap((id) => this.#trail.get<ChainedBody>(sql, id) ?? []);
    return countErased(chained.map(bodyOf));
  }

  async verify(known?: readonly TrailHead[]): Promise<Verification> {
    await this.head();
    return verifyChain(this.#trail, known);
  }
}

/** An event that is to be erased in part. */
type Going = { readonly sequence: number; readonly id: string } & GoingParts;

function sequenceOf({ sequence }: Going): number {
  return sequence;
}

/** An event, and its personal sides as JSON; the body where it is asked for. */
type Told = ChainedBody & {
  readonly sequence: number;
  readonly id: string;
  readonly agents: string | null;
  readonly entities: string | null;
  readonly request: string | null;
};

function toldEvent({ agents, entities, request, ...chained }: Told): ToldEvent {
  const partOf = (json: string | null) => (json === null ? undefined : { salt: '', json });
  const personal = { agents: partOf(agents), entities: partOf(entities), request: partOf(request) };
  return { body: bodyOf(chained), personal };
}

const SIDES_OF = `LEFT JOIN personal p ON p.id = c.id AND p.side = 'entities'
  LEFT JOIN personal r ON r.id = c.id AND r.side = 'request'`;
const PART = 'WHERE c.sequence > ? ORDER BY c.sequence LIMIT 0 + ?';

const TOLD = `SELECT c.sequence, c.id, '' AS body, NULL AS frame, NULL AS agents, p.json AS entities, r.json AS request
  FROM chain c ${SIDES_OF} ${PART}`;

const AFTER = `SELECT c.sequence, c.hash, ${BODY_COLUMNS} WHERE c.sequence > ? ORDER BY c.sequence LIMIT 0 + ?`;
const BEFORE = `SELECT c.sequence, c.hash, ${BODY_COLUMNS} WHERE c.sequence < ? ORDER BY c.sequence DESC LIMIT 0 + ?`;

const TOLD_WHOLE = `SELECT c.sequence, c.id, a.json AS agents, p.json AS entities, r.json AS request, ${BODY_COLUMNS}
  LEFT JOIN personal a ON a.id = c.id AND a.side = 'agents' ${SIDES_OF} ${PART}`;
