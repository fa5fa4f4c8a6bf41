/**
 * Anchors the head of the audit trail outside the data, and compares the trail with its anchor at the start: a trail
 * that was cut, and a data folder that was brought back from an older copy, are found before any door opens.
 */
import { Fault } from '../../../profiles/fault.ts';
import type { Log } from '../../log.ts';
import type { Anchor, AuditAnchor } from '../../ports/audit-anchor.ts';
import type { AuditTrail, TrailHead } from '../../ports/audit-trail.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Checks } from '../health.ts';
import { ownOccasion, recordOf } from './event-records.ts';

/** Who lets the server start on a trail that does not hold its anchor, and why. */
export type Acceptance = { readonly name: string; readonly reason: string };

/** What anchoring needs. */
export type AnchoringDeps = {
  readonly trail: AuditTrail;
  readonly anchor: AuditAnchor;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
};

const EVERY_MS = 60_000;
const EVERY_EVENTS = 1_000;
/** What failed is tried again after so long. */
const RETRY_MS = 10_000;

const REMEDY =
  'withdrawals and revoked tokens of the time between are forgotten. ' +
  'Bring the newer data back, or start once with `npm start -- --accept-restored NAME REASON`';

/** The anchoring of one server. */
export class Anchoring {
  readonly #deps: AnchoringDeps;
  #last: Anchor | undefined;
  #failedAt: number | undefined;

  constructor(deps: AnchoringDeps) {
    this.#deps = deps;
  }

  /**
   * Compares the trail with its last anchor. What does not fit can be accepted: that is an event, and anchored.
   * @throws {Fault} conflict - the trail does not hold its anchor, or there is nothing to accept
   */
  async begin(accepted?: Acceptance): Promise<void> {
    this.#last = await this.#deps.anchor.last();
    const trouble = await this.#troubleAtStart();
    if (trouble === undefined && accepted === undefined) return;
    if (accepted === undefined) throw new Fault('conflict', `${trouble}; ${REMEDY}`);
    if (trouble === undefined)
      throw new Fault('conflict', 'The audit trail holds its anchor: start without --accept-restored');
    await this.#accept(accepted);
  }

  /** Anchors when a minute or a thousand events have gone by; the caller comes by more often. */
  async step(): Promise<void> {
    const { trail, clock } = this.#deps;
    const head = await trail.sealedHead();
    if (this.#failedAt !== undefined && clock.now() - this.#failedAt < RETRY_MS) return;
    const since = clock.now() - Date.parse(this.#last?.at ?? '1970-01-01');
    const further = head.sequence - (this.#last?.sequence ?? 0);
    if (further >= EVERY_EVENTS || (further > 0 && since >= EVERY_MS)) await this.#anchor();
  }

  /** Anchors what the last events were, when the server stops. */
  async end(): Promise<void> {
    await this.#deps.trail.head();
    await this.#anchor();
  }

  /** Whether the last anchor could be written. It is no reason to refuse who needs an exam. */
  health(): Checks {
    if (this.#failedAt === undefined) return {};
    const output = 'The head of the audit trail could not be anchored; the log says why';
    return { 'audit:anchor': { status: 'warn', output } };
  }

  async #anchor(): Promise<void> {
    try {
      await this.#deps.trail.whileSealing(async () => await this.#advance());
      this.#failedAt = undefined;
    } catch (error) {
      this.#failedAt = this.#deps.clock.now();
      throw error;
    }
  }

  /** What another process anchored meanwhile stays, and so does an anchor that the trail does not hold any more. */
  async #advance(): Promise<void> {
    const { trail, anchor } = this.#deps;
    this.#last = await anchor.last();
    const trouble = await this.#trouble();
    if (trouble !== undefined) throw new Fault('conflict', trouble);
    const head = await trail.sealedHead();
    if (head.sequence > (this.#last?.sequence ?? 0)) await this.#write(head);
  }

  async #write({ sequence, hash }: TrailHead): Promise<void> {
    const { anchor, clock } = this.#deps;
    const next = { sequence, hash, at: new Date(clock.now()).toISOString() };
    await anchor.write(next);
    this.#last = next;
  }

  async #troubleAtStart(): Promise<string | undefined> {
    const { trail, anchor } = this.#deps;
    if (this.#last !== undefined) return await this.#trouble();
    const isBegun = (await trail.sealedHead()).sequence > 0;
    return isBegun && !anchor.isNew ? 'The anchor of the audit trail is gone, and its key was used before' : undefined;
  }

  async #trouble(): Promise<string | undefined> {
    if (this.#last === undefined) return undefined;
    const { sequence, hash, at } = this.#last;
    const found = await this.#deps.trail.hashAt(sequence);
    if (found === hash) return undefined;
    const anchored = `record ${sequence} was anchored at ${at}`;
    if (found !== undefined) return `The audit trail is another than the one that was anchored: ${anchored}`;
    const { sequence: end } = await this.#deps.trail.sealedHead();
    return `The audit trail ends at record ${end}, and ${anchored}: it was cut, or an older copy was brought back`;
  }

  async #accept({ name, reason }: Acceptance): Promise<void> {
    const { trail, clock, log } = this.#deps;
    const [found, anchored] = [await trail.sealedHead(), this.#last?.sequence];
    const detail = { name, reason, records: String(found.sequence), anchored: String(anchored ?? 'none') };
    await trail.record([
      recordOf(clock, ownOccasion('operator'), 'accept-restored', { entities: [{ role: '13', detail }] }),
    ]);
    await this.#write(await trail.head());
    log.warn({ records: found.sequence, anchored }, 'a trail that does not hold its anchor was accepted');
  }
}
