/**
 * The walk of a verification along the chain, the same on every store: hashes, heads that were kept elsewhere, personal
 * parts against their commitments, what each adapter says of the rows by which an event is found, and by which cut the
 * chain begins later than with its first record.
 */
import type { SealedCut, TrailHead, Verification } from '../ports/audit-trail.ts';
import {
  cutOf,
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

/** What an adapter has looked up when a walk is at its end. */
export type WalkEnd = {
  /** What the store holds of events that the chain does not. */
  readonly leftOver: string | undefined;
  /** The hash of the last record of {@link ChainWalk.cut}, as long as that is there. */
  readonly cutHash: string | undefined;
};

/** One walk, from the first entry that is there. */
export class ChainWalk {
  readonly #known: readonly TrailHead[];
  #head = EMPTY_CHAIN;
  #first: StoredEntry | undefined;
  #cut: SealedCut | undefined;
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

  /** The first entry that is there; 1 in an empty chain. */
  get begins(): number {
    return this.#first?.sequence ?? 1;
  }

  /** The cut that took most, of those that the chain has told of. */
  get cut(): SealedCut | undefined {
    return this.#cut;
  }

  /** Looks at the next entry; answers whether the walk goes on. */
  pass(entry: StoredEntry, personal: PersonalSide, misfiled: Misfiled): boolean {
    const reason = this.#chainTrouble(entry) ?? this.#eventTrouble(entry, personal, misfiled);
    const expected = this.#first === undefined ? entry.sequence : this.#head.sequence + 1;
    if (reason !== undefined) this.#broken = broken(expected, reason);
    else {
      this.#first ??= entry;
      this.#head = { sequence: entry.sequence, hash: entry.hash };
    }
    return reason === undefined;
  }

  /** Takes into account an erasure whose event waits to be chained. */
  erasing(entities: readonly number[], agents: readonly number[] = []): void {
    for (const sequence of entities) this.#taken.entities.add(sequence);
    for (const sequence of agents) this.#taken.agents.add(sequence);
  }

  /** What was found; without an end, of a walk that did not come there. */
  end(end?: WalkEnd): Verification {
    if (this.#broken !== undefined) return this.#broken;
    const { sequence } = this.#head;
    const uncut = this.#troubleBefore(end?.cutHash);
    if (uncut !== undefined) return uncut;
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
    if (end?.leftOver !== undefined) return broken(sequence + 1, end.leftOver);
    const unexplained = this.#unexplained;
    const missing = new Set([...this.#missing.entities, ...this.#missing.agents]);
    const { begins } = this;
    const cut = this.#cut === undefined ? {} : { cut: this.#cut };
    return { whole: true, head: this.#head, begins, ...cut, erased: missing.size + unexplained, unexplained };
  }

  /** What is missing before the first entry must be of a cut, and the last record of that the one that was there. */
  #troubleBefore(cutHash: string | undefined): Broken | undefined {
    const { sequence: last, hash } = this.#cut ?? EMPTY_CHAIN;
    const known = this.#known.find((head) => head.sequence === last && head.hash !== hash);
    if (known !== undefined) return broken(last, 'the hash of which a cut tells is not that of the head that was kept');
    if (this.#first === undefined) return undefined;
    if (this.begins > last + 1) return broken(last + 1, `expected sequence ${last + 1}`);
    if (this.begins > last)
      return isSealedAfter({ sequence: last, hash }, this.#first)
        ? undefined
        : broken(this.begins, 'the hash does not fit the record');
    return cutHash === hash ? undefined : broken(last, 'the hash is not that of which a cut tells');
  }

  #chainTrouble(entry: StoredEntry): string | undefined {
    const { sequence } = this.#head;
    // What is before the first entry that is there is judged at the end, when all cuts are known.
    const isLater = this.#first === undefined && entry.sequence > 1;
    if (!isLater && entry.sequence !== sequence + 1) return `expected sequence ${sequence + 1}`;
    if (!isLater && !isSealedAfter(this.#head, entry)) return 'the hash does not fit the record';
    const isOther = this.#known.some((head) => head.sequence === entry.sequence && head.hash !== entry.hash);
    return isOther ? 'the hash is not that of the head that was kept' : undefined;
  }

  #eventTrouble(entry: StoredEntry, personal: PersonalSide, misfiled: Misfiled): string | undefined {
    const event = eventOf(entry.body);
    if (event === undefined) return 'the record is no event';
    // Under another id its personal parts would be missed, and taken for erased.
    if (entry.id !== undefined && entry.id !== event.id) return 'the record is filed under another id';
    if (!this.#mayCut(event, entry.sequence)) return 'the record tells of a cut that cannot be';
    const taken = (ranges: string | undefined) =>
      (ranges === undefined ? [] : fromRanges(ranges, entry.sequence)) ?? [];
    this.erasing(taken(event.erased), taken(event.erasedAgents));
    return this.#personalTrouble(entry.sequence, event, personal) ?? misfiled({ sequence: entry.sequence, event });
  }

  #mayCut(event: ChainedEvent, own: number): boolean {
    if (event.cut === undefined) return true;
    const cut = cutOf(event, own);
    if (cut !== undefined && cut.sequence >= (this.#cut?.sequence ?? 0)) this.#cut = cut;
    return cut !== undefined;
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
