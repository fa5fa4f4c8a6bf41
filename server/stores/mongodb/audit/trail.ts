/** The audit trail on MongoDB. */
import { setTimeout as pause } from 'node:timers/promises';
import { Fault } from '../../../../profiles/fault.ts';
import type { PersonKey } from '../../../access/requester.ts';
import type { AuditTrail, Cutting, ErasedPerson, Sealing } from '../../../ports/audit-trail.ts';
import type { TrailHead, Verification } from '../../../ports/audit-trail.ts';
import { requireEvents } from '../../../ports/bounds.ts';
import type { AuditRecord } from '../../../ports/commit-plan.ts';
import { countErased, cutText, tellsOfCut, type ChainEntry } from '../../audit-chain.ts';
import { findOldest } from '../../chain-walk.ts';
import { partsNaming, partsOfPerson, type GoingParts, type ToldEvent } from '../../erasing-events.ts';
import { insertAudit } from './audit.ts';
import type { Collections } from '../collections.ts';
import { asStore } from '../errors.ts';
import { inTransaction } from '../transaction.ts';
import { removeOldest } from './remove-oldest.ts';
import { readHead, type Sealer } from './sealer.ts';
import { verifyChain } from './verify.ts';

const WAIT_MS = 25;
const LONGEST_WAIT_MS = 15_000;
const ERASE_AT_ONCE = 500;
const LOOK_AT_ONCE = 500;

type RecordOf = (events: number) => AuditRecord;
type GoOn = () => Promise<void>;
type Look = { readonly recordOf: RecordOf; readonly goOn: GoOn | undefined; readonly needsBody: boolean };

/** The trail over one connection. */
export class MongoAuditTrail implements AuditTrail {
  readonly #collections: Collections;
  readonly #sealer: Sealer;

  constructor(collections: Collections, sealer: Sealer) {
    this.#collections = collections;
    this.#sealer = sealer;
  }

  async record(records: readonly AuditRecord[]): Promise<void> {
    requireEvents(records);
    await asStore(async () => await insertAudit(this.#collections, records));
  }

  async head(): Promise<TrailHead> {
    return await asStore(async () => {
      await this.#sealed();
      return await readHead(this.#collections);
    });
  }

  async sealedHead(): Promise<TrailHead> {
    return await asStore(async () => await readHead(this.#collections));
  }

  async hashAt(sequence: number): Promise<string | undefined> {
    const { chain } = this.#collections;
    return await asStore(async () => (await chain.findOne({ _id: sequence }, { projection: { hash: 1 } }))?.hash);
  }

  async whileSealing<T>(work: () => Promise<T>): Promise<T | undefined> {
    return (await asStore(async () => await this.#sealer.holdsLease())) ? await work() : undefined;
  }

  async sealing(): Promise<Sealing> {
    return await asStore(async () => await this.#sealer.sealing());
  }

  async eraseEntities(
    names: ReadonlySet<string>,
    recordOf: RecordOf,
    goOn?: GoOn,
    readers?: ReadonlySet<PersonKey>,
  ): Promise<number> {
    const needsBody = readers !== undefined;
    return await this.#eraseAll((told) => partsNaming(told, names, readers), { recordOf, goOn, needsBody });
  }

  async erasePerson(who: ErasedPerson, recordOf: RecordOf, goOn?: GoOn): Promise<number> {
    return await this.#eraseAll((told) => partsOfPerson(told, who), { recordOf, goOn, needsBody: true });
  }

  async #eraseAll(partsOf: (told: ToldEvent) => GoingParts, { recordOf, goOn, needsBody }: Look): Promise<number> {
    return await asStore(async () => {
      await this.#sealed();
      const { personal } = this.#collections;
      let erased = 0;
      for (let last = 0, more = true; more;) {
        const sides = await personal
          .find({ _id: { $gt: last } })
          .sort({ _id: 1 })
          .limit(ERASE_AT_ONCE)
          .toArray();
        const bodies = needsBody ? await this.#bodiesOf(sides.map(({ _id }) => _id)) : new Map<number, string>();
        const going = sides.map(({ _id, agents, entities, request }) => ({
          sequence: _id,
          ...partsOf({ body: bodies.get(_id) ?? '{}', personal: { agents, entities, request } }),
        }));
        const found = going.filter(({ entities, agents }) => entities || agents);
        if (found.length > 0) await this.#erase(found, recordOf(found.length));
        erased += found.length;
        last = sides.at(-1)?._id ?? last;
        more = sides.length === ERASE_AT_ONCE;
        if (more) await goOn?.();
      }
      return erased;
    });
  }

  async #bodiesOf(sequences: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const entries = await this.#collections.chain
      .find({ _id: { $in: [...sequences] } }, { projection: { body: 1 } })
      .toArray();
    return new Map(entries.map(({ _id, body }) => [_id, body]));
  }

  /** The parts go in the transaction in which their erasure is recorded. */
  async #erase(found: readonly (GoingParts & { readonly sequence: number })[], record: AuditRecord): Promise<void> {
    const of = (part: keyof GoingParts): number[] => found.filter((one) => one[part]).map(({ sequence }) => sequence);
    const [erased, erasedAgents] = [of('entities'), of('agents')];
    await inTransaction(this.#collections, async (session, attempt) => {
      const { personal } = this.#collections;
      await personal.updateMany({ _id: { $in: erased } }, { $unset: { entities: '', request: '' } }, { session });
      if (erasedAgents.length > 0)
        await personal.updateMany({ _id: { $in: erasedAgents } }, { $unset: { agents: '' } }, { session });
      const taken = {
        ...(erased.length === 0 ? {} : { erased }),
        ...(erasedAgents.length === 0 ? {} : { erasedAgents }),
      };
      await insertAudit(this.#collections, [{ ...record, ...taken }], { session, attempt });
    });
  }

  async cut(cutting: Cutting, goOn: GoOn = async () => undefined): Promise<number> {
    return await asStore(async () => {
      await this.#sealed();
      const { sequence: end } = await readHead(this.#collections);
      const source = {
        after: async (sequence: number) => await this.#entries({ $gt: sequence }, 1),
        before: async (sequence: number) => await this.#entries({ $lt: sequence }, -1),
        goOn,
      };
      const { records, undated, last, before } = await findOldest(source, end, cutting);
      if (records === 0) return 0;
      const cut = { ...last, before: new Date(before).toISOString() };
      const { record, seal } = await cutting.tell(cut, records, undated);
      await insertAudit(this.#collections, [{ ...record, cut: cutText(cut, seal) }]);
      await this.#sealed();
      await this.#requireCut(record.event.id);
      while ((await removeOldest(this.#collections, cut.sequence)) > 0) await goOn();
      return records;
    });
  }

  async #entries(sequence: { $gt: number } | { $lt: number }, order: 1 | -1): Promise<readonly ChainEntry[]> {
    const { chain } = this.#collections;
    const found = await chain.find({ _id: sequence }).sort({ _id: order }).limit(LOOK_AT_ONCE).toArray();
    return found.map(({ _id, hash, body }) => ({ sequence: _id, hash, body }));
  }

  /** A server of before does not seal what an event tells of a cut. */
  async #requireCut(id: string): Promise<void> {
    const entry = await this.#collections.chain.findOne({ event: id }, { projection: { body: 1 } });
    if (entry === null || !tellsOfCut(entry.body))
      throw new Fault('transient', 'An earlier server seals the audit trail: nothing is cut off it meanwhile');
  }

  async countErased(told: readonly string[]): Promise<number> {
    return await asStore(async () => {
      await this.#sealed();
      const { chain } = this.#collections;
      const entries = await chain.find({ event: { $in: [...told] } }, { projection: { body: 1 } }).toArray();
      return countErased(entries.map(({ body }) => body));
    });
  }

  async verify(known?: readonly TrailHead[]): Promise<Verification> {
    return await asStore(async () => {
      await this.#sealed();
      return await verifyChain(this.#collections, known);
    });
  }

  /** Waits until every event that is there now is sealed, by this server or another. */
  async #sealed(): Promise<void> {
    const { audit } = this.#collections;
    const [last] = await audit
      .find({ pending: true }, { projection: { sort: 1, id: 1 } })
      .sort({ sort: -1, id: -1 })
      .limit(1)
      .toArray();
    if (last === undefined) return;
    const { sort, id } = last;
    const deadline = Date.now() + LONGEST_WAIT_MS;
    for (;;) {
      await this.#sealer.seal();
      const earlier = { pending: true as const, $or: [{ sort: { $lt: sort } }, { sort, id: { $lte: id } }] };
      if ((await audit.findOne(earlier, { projection: { _id: 1 } })) === null) return;
      if (Date.now() > deadline) throw new Fault('transient', 'The audit trail is not sealed yet; try again');
      await pause(WAIT_MS);
    }
  }
}
