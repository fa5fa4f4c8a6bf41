/**
 * The walk of a verification along the chain, the same on every store: hashes, heads that were kept elsewhere, personal
 * parts against their commitments, and what each adapter says of the rows by which an event is found.
 */
import type { TrailHead, Verification } from '../ports/audit-trail.ts';
import {
  EMPTY_CHAIN,
  fitsCommitment,
  fromRanges,
  isSealedAfter,
  SIDES,
  type ChainedEvent,
  type PersonalSide,
  type StoredEntry,
} from './audit-chain.ts';

/** An event of the chain whose rows are to be compared with it. */
export type WalkedEvent = { readonly sequence: number; readonly event: ChainedEvent };

/** Says what is wrong with the rows of an event; undefined when they are what the event makes them. */
export type Misfiled = (walked: WalkedEvent) => string | undefined;

/** The sides that an erasure may take, as a finding calls them. */
const ERASABLE = [
  ['agents', 'the personal part of the agents'],
  ['entities', 'the personal part of the entities, or the query,'],
] as const;

type Broken = Extract<Verification, { whole: false }>;

/** One walk, from the first entry on. */
export class ChainWalk {
  readonly #known: readonly TrailHead[];
  #head = EMPTY_CHAIN;
  #broken: Broken | undefined;
  /** Entries without their entities, and without their agents; and those that erasures of the chain took. */
  readonly #missing = { entities: [] as number[], agents: [] as number[] };
  readonly #taken = { entities: new Set<number>(), agents: new Set<number>() };
  #unexplained = 0;

  /** Begins; `known` are heads that the chain must hold. */
  constructor(known: readonly TrailHead[]) {
    this.#known = known;
  }

  /** The last entry that fits. */
  get head(): TrailHead {
    return this.#head;
  }

  /** Looks at the next entry; answers whether the walk goes on. */
  pass(entry: StoredEntry, personal: PersonalSide, misfiled: Misfiled): boolean {
    const reason = this.#chainTrouble(entry) ?? this.#eventTrouble(entry, personal, misfiled);
    if (reason !== undefined) this.#broken = { whole: false, sequence: this.#head.sequence + 1, reason };
    else this.#head = { sequence: entry.sequence, hash: entry.hash };
    return reason === undefined;
  }

  /** Takes into account an erasure whose event waits to be chained. */
  erasing(entities: readonly number[], agents: readonly number[] = []): void {
    for (const sequence of entities) this.#taken.entities.add(sequence);
    for (const sequence of agents) this.#taken.agents.add(sequence);
  }

  /** What was found. `leftOver` says what the store holds of events that the chain does not. */
  end(leftOver?: string): Verification {
    if (this.#broken !== undefined) return this.#broken;
    const { sequence } = this.#head;
    for (const [side, what] of ERASABLE) {
      const gone = this.#missing[side].find((one) => !this.#taken[side].has(one));
      if (gone !== undefined) return broken(gone, `${what} is gone, and no erasure tells of it`);
    }
    const known = this.#known.find((head) => head.sequence > sequence);
    if (known !== undefined)
      return broken(
        sequence + 1,
        `the trail ends at record ${sequence}, and a head that was kept is record ${known.sequence}`,
      );
    if (leftOver !== undefined) return broken(sequence + 1, leftOver);
    const unexplained = this.#unexplained;
    const missing = new Set([...this.#missing.entities, ...this.#missing.agents]);
    return { whole: true, head: this.#head, erased: missing.size + unexplained, unexplained };
  }

  #chainTrouble(entry: StoredEntry): string | undefined {
    const { sequence } = this.#head;
    if (entry.sequence !== sequence + 1) return `expected sequence ${sequence + 1}`;
    if (!isSealedAfter(this.#head, entry)) return 'the hash does not fit the record';
    const isOther = this.#known.some((head) => head.sequence === entry.sequence && head.hash !== entry.hash);
    return isOther ? 'the hash is not that of the head that was kept' : undefined;
  }

  #eventTrouble(entry: StoredEntry, personal: PersonalSide, misfiled: Misfiled): string | undefined {
    const event = eventOf(entry.body);
    if (event === undefined) return 'the record is no event';
    // Under another id its personal parts would be missed, and taken for erased.
    if (entry.id !== undefined && entry.id !== event.id) return 'the record is filed under another id';
    const taken = (ranges: string | undefined) =>
      (ranges === undefined ? [] : fromRanges(ranges, entry.sequence)) ?? [];
    this.erasing(taken(event.erased), taken(event.erasedAgents));
    return this.#personalTrouble(entry.sequence, event, personal) ?? misfiled({ sequence: entry.sequence, event });
  }

  #personalTrouble(sequence: number, event: ChainedEvent, personal: PersonalSide): string | undefined {
    for (const side of SIDES) {
      const kept = personal[side];
      if (kept !== undefined && !fitsCommitment(event, side, kept))
        return `the personal part of the ${side} does not fit its commitment`;
    }
    const isAsked = event.commitments?.request === undefined || personal.request !== undefined;
    if (personal.agents !== undefined && personal.entities !== undefined && isAsked) return undefined;
    if (event.persons === undefined) this.#unexplained += 1;
    else {
      if (personal.agents === undefined) this.#missing.agents.push(sequence);
      if (personal.entities === undefined || !isAsked) this.#missing.entities.push(sequence);
    }
    return undefined;
  }
}

function eventOf(body: string): ChainedEvent | undefined {
  try {
    return JSON.parse(body) as ChainedEvent;
  } catch {
    return undefined;
  }
}

function broken(sequence: number, reason: string): Broken {
  return { whole: false, sequence, reason };
}
