/**
 * Sealing: events become entries of the chain, in order. Any number of servers may try; a lease lets one of them, and
 * its fencing token is used up in the same transaction, so a holder who was too slow seals nothing.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientSession } from 'mongodb';
import { Fault } from '../../../../profiles/fault.ts';
import type { Log } from '../../../log.ts';
import type { Sealing, TrailHead } from '../../../ports/audit-trail.ts';
import type { AuditRecord } from '../../../ports/commit-plan.ts';
import { EMPTY_CHAIN, readyEvent, sealBody } from '../../audit-chain.ts';
import type { Collections } from '../collections.ts';
import type { AuditDocument, ChainDocument, PersonalDocument } from '../documents.ts';
import { asStore, isDuplicateKey, withoutContent } from '../errors.ts';
import { dropLease, takeLease, useLease } from './lease.ts';
import { inTransaction } from '../transaction.ts';
import { personOf } from '../../../access/right.ts';

/** The lease that a sealer holds. */
export const SEALER_LEASE = 'sealer';

const LEASE_MS = 3_000;
const EVERY_MS = 400;
const AT_ONCE = 200;
/** A failure that goes on is logged as often. */
const LOG_AGAIN_MS = 60_000;

/** Where failures are told. */
export type SealerLog = Pick<Log, 'error' | 'info'>;

/** Where the chain ended when this server sealed last. It may be wrong: it only tells where to look first. */
export type LastSealed = { sequence: number };

/** The head of the chain, looked for at a place first. */
export async function readHead(
  { chain }: Collections,
  session?: ClientSession,
  { sequence }: LastSealed = { sequence: 0 },
): Promise<TrailHead> {
  const options = { ...(session === undefined ? {} : { session }), projection: { hash: 1 } } as const;
  const near = sequence === 0 ? [] : await chain.find({ _id: { $in: [sequence, sequence + 1] } }, options).toArray();
  const [only, ...others] = near;
  if (only?._id === sequence && others.length === 0) return { sequence, hash: only.hash };
  const [last] = await chain.find({}, options).sort({ _id: -1 }).limit(1).toArray();
  return last === undefined ? EMPTY_CHAIN : { sequence: last._id, hash: last.hash };
}

/**
 * Seals the next events under a fencing token. Resolves how many, or undefined when the token is not the last one.
 * @throws {Fault} transient - the store is out of reach or busy
 */
export async function sealNext(
  collections: Collections,
  token: number,
  last: LastSealed = { sequence: 0 },
): Promise<number | undefined> {
  return await inTransaction(collections, async (session) => {
    if (!(await useLease(collections.leases, SEALER_LEASE, token, session))) return undefined;
    const pending = await collections.audit
      .find({ pending: true }, { session })
      .sort({ sort: 1, id: 1 })
      .limit(AT_ONCE)
      .toArray();
    if (pending.length > 0) await seal(collections, pending, last, session);
    return pending.length;
  });
}

async function seal(
  collections: Collections,
  pending: readonly AuditDocument[],
  last: LastSealed,
  session: ClientSession,
): Promise<void> {
  const entries: ChainDocument[] = [];
  const sides: PersonalDocument[] = [];
  let head = await readHead(collections, session, last);
  for (const { _id, event, persons, request: asked, erased, erasedAgents, cut, indexed } of pending) {
    const { body, personal } = readyEvent({
      event: JSON.parse(event ?? '') as AuditRecord['event'],
      persons: persons.flatMap((name) => personOf(name) ?? []),
      ...(asked === undefined ? {} : { request: asked }),
      ...(erased === undefined ? {} : { erased }),
      ...(erasedAgents === undefined ? {} : { erasedAgents }),
      ...(cut === undefined ? {} : { cut }),
      ...(indexed === undefined ? {} : { indexed }),
    });
    const entry = sealBody(head, body);
    head = entry;
    entries.push({ _id: entry.sequence, hash: entry.hash, body: entry.body, event: _id });
    const { agents, entities, request } = personal;
    sides.push({
      _id: entry.sequence,
      ...(agents === undefined ? {} : { agents }),
      ...(entities === undefined ? {} : { entities }),
      ...(request === undefined ? {} : { request }),
    });
  }
  await collections.chain.insertMany(entries, { session });
  await collections.personal.insertMany(sides, { session });
  const operations = entries.map(({ _id, event }) => ({
    updateOne: {
      filter: { _id: event },
      update: {
        $set: { sequence: _id },
        $unset: { pending: '', event: '', request: '', erased: '', erasedAgents: '', cut: '' },
      },
    },
  })) as Parameters<typeof collections.audit.bulkWrite>[0];
  await collections.audit.bulkWrite(operations, { session });
  last.sequence = head.sequence;
}

/** Seals in the background until it is stopped, and at once when it is asked. */
export class Sealer {
  readonly #collections: Collections;
  readonly #log: SealerLog | undefined;
  readonly #holder = randomUUID();
  readonly #stop = new AbortController();
  readonly #last: LastSealed = { sequence: 0 };
  #pass: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();
  #failures = 0;
  #loggedAt = 0;

  constructor(collections: Collections, log: SealerLog | undefined) {
    this.#collections = collections;
    this.#log = log;
  }

  /** How it goes: what waits in the store, whoever should have sealed it, and what failed here. */
  async sealing(): Promise<Sealing> {
    const oldest = await this.#collections.audit
      .find({ pending: true }, { projection: { sort: 1 } })
      .sort({ sort: 1, id: 1 })
      .limit(1)
      .next();
    return { waitingSince: oldest?.sort, failures: this.#failures };
  }

  /** Begins the background work. */
  start(): void {
    this.#running = this.#run();
  }

  /** Seals what is there, unless another server holds the lease. */
  async seal(): Promise<void> {
    const pass = this.#pass.then(async () => await this.#sealAll());
    this.#pass = pass.catch(() => {});
    await pass;
  }

  /** Takes the lease, or keeps it, for a few seconds; false while another server has it. */
  async holdsLease(): Promise<boolean> {
    return (await this.#takeLease()) !== undefined;
  }

  /** Ends the background work and lets another server take over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#pass;
    await dropLease(this.#collections.leases, SEALER_LEASE, this.#holder);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await asStore(async () => await this.seal()).then(
        () => this.#succeeded(),
        (error: unknown) => this.#failed(error),
      );
      await pause(EVERY_MS, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
    }
  }

  #succeeded(): void {
    if (this.#failures > 0) this.#log?.info({ failures: this.#failures }, 'audit events are sealed again');
    this.#failures = 0;
  }

  /** Told at once, then now and then: it is tried again several times a second. */
  #failed(error: unknown): void {
    this.#failures += 1;
    const now = performance.now();
    if (this.#failures > 1 && now - this.#loggedAt < LOG_AGAIN_MS) return;
    this.#loggedAt = now;
    const err = error instanceof Fault || !(error instanceof Error) ? error : withoutContent(error);
    this.#log?.error({ err, failures: this.#failures }, 'audit events could not be sealed, and wait');
  }

  async #sealAll(): Promise<void> {
    // A look costs nothing; the lease is taken only when there is something to do.
    if ((await this.#collections.audit.findOne({ pending: true }, { projection: { _id: 1 } })) === null) return;
    for (let isMore = true; isMore;) {
      const token = await this.#takeLease();
      isMore = token !== undefined && (await sealNext(this.#collections, token, this.#last)) === AT_ONCE;
    }
  }

  async #takeLease(): Promise<number | undefined> {
    try {
      return await takeLease(this.#collections.leases, SEALER_LEASE, this.#holder, LEASE_MS);
    } catch (error) {
      // Both saw no lease and wrote one: the other was first.
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
  }
}
