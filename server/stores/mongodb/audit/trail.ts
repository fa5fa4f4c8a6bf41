/** The audit trail on MongoDB. */
import { setTimeout as pause } from 'node:timers/promises';
import { Fault } from '../../../../profiles/fault.ts';
import type { AuditTrail, Sealing, TrailHead, Verification } from '../../../ports/audit-trail.ts';
import type { AuditRecord } from '../../../ports/commit-plan.ts';
import { EMPTY_CHAIN, mentionsName, verifyEnd, verifyEntry, verifyKnownHead } from '../../audit-chain.ts';
import { insertAudit } from './audit.ts';
import type { Collections } from '../collections.ts';
import type { ChainDocument, PersonalDocument } from '../documents.ts';
import { asStore } from '../errors.ts';
import { readHead, type Sealer } from './sealer.ts';

const WAIT_MS = 25;
const LONGEST_WAIT_MS = 15_000;
const VERIFY_AT_ONCE = 500;

/** The trail over one connection. */
export class MongoAuditTrail implements AuditTrail {
  readonly #collections: Collections;
  readonly #sealer: Sealer;

  constructor(collections: Collections, sealer: Sealer) {
    this.#collections = collections;
    this.#sealer = sealer;
  }

  async record(records: readonly AuditRecord[]): Promise<void> {
    await asStore(async () => await insertAudit(this.#collections, records, Date.now()));
  }

  async head(): Promise<TrailHead> {
    return await asStore(async () => {
      await this.#sealed();
      return await readHead(this.#collections);
    });
  }

  async sealing(): Promise<Sealing> {
    return await asStore(async () => await this.#sealer.sealing());
  }

  async eraseEntities(names: ReadonlySet<string>): Promise<number> {
    return await asStore(async () => {
      await this.#sealed();
      let erased = 0;
      for await (const { _id, entities } of this.#collections.personal.find(
        { entities: { $exists: true } },
        { projection: { entities: 1 } },
      )) {
        if (entities === undefined || !mentionsName(entities.json, names)) continue;
        await this.#collections.personal.updateOne({ _id }, { $unset: { entities: '' } });
        erased += 1;
      }
      return erased;
    });
  }

  async verify(known?: TrailHead): Promise<Verification> {
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

async function verifyChain({ chain, personal }: Collections, known: TrailHead | undefined): Promise<Verification> {
  let head = EMPTY_CHAIN;
  let erased = 0;
  for (;;) {
    const entries = await chain
      .find({ _id: { $gt: head.sequence } })
      .sort({ _id: 1 })
      .limit(VERIFY_AT_ONCE)
      .toArray();
    if (entries.length === 0) return verifyEnd(head, erased, known);
    const sides = await personal.find({ _id: { $in: entries.map(({ _id }) => _id) } }).toArray();
    const bySequence = new Map(sides.map((side) => [side._id, side]));
    for (const entry of entries) {
      const side = bySequence.get(entry._id);
      const reason = verifyOne(head, entry, side) ?? verifyKnownHead({ sequence: entry._id, hash: entry.hash }, known);
      if (reason !== undefined) return { whole: false, sequence: head.sequence + 1, reason };
      if (side?.agents === undefined || side.entities === undefined) erased += 1;
      head = { sequence: entry._id, hash: entry.hash };
    }
  }
}

function verifyOne(
  head: TrailHead,
  { _id, hash, body }: ChainDocument,
  side: PersonalDocument | undefined,
): string | undefined {
  return verifyEntry(head, { sequence: _id, hash, body }, { agents: side?.agents, entities: side?.entities });
}
