/**
 * The walk of a verification along the chain, the same on every store: hashes, heads that were kept elsewhere, personal
 * parts against their commitments, what each adapter says of the rows by which an event is found, and by which cut the
 * chain begins later than with its first record. And the walk of a cut along the oldest entries, which verifies them.
 */
import { Fault } from '../../profiles/fault.ts';
import { MOST_CUT, type Cutting, type SealedCut, type TrailHead, type Verification } from '../ports/audit-trail.ts';
import {
  cutOf,
  EMPTY_CHAIN,
  fitsCommitment,
  fromRanges,
  isSealedAfter,
  recordedOf,
  SIDES,
  tellsOfCut,
  type ChainedEvent,
  type ChainEntry,
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

/** Entries of a chain as a cut reads them: some after a record, in order; some before one, the last first. */
export type CutSource = {
  after(sequence: number): Promise<readonly ChainEntry[]>;
  before(sequence: number): Promise<readonly ChainEntry[]>;
  goOn(): Promise<void>;
};

/** The oldest records that are to go: how many, how many of them say no time, the last, and before when all were. */
export type Oldest = {
  readonly records: number;
  readonly undated: number;
  readonly last: TrailHead;
  readonly before: number;
};

/**
 * Finds what a cut takes of a chain that ends with a record (`end`), and verifies that and the first that stays; anew
 * when another process removes records from under the walk.
 * @throws {Fault} conflict - the chain is broken there, or begins by a cut of another seal
 */
export async function findOldest(source: CutSource, end: number, cutting: Cutting): Promise<Oldest> {
  for (;;) {
    const first = (await source.after(0))[0];
    if (first === undefined) return { records: 0, undated: 0, last: EMPTY_CHAIN, before: cutting.before };
    try {
      return await walkOldest(source, first, end, cutting);
    } catch (error) {
      if ((await source.after(0))[0]?.sequence === first.sequence) throw error;
    }
  }
}

async function walkOldest(source: CutSource, first: ChainEntry, end: number, cutting: Cutting): Promise<Oldest> {
  const told = first.sequence === 1 ? undefined : await lastCut(source, first, end, cutting);
  let head: TrailHead = told === undefined ? EMPTY_CHAIN : { sequence: told.sequence, hash: told.hash };
  // What an earlier cut left goes, whatever else does.
  const left = Math.max(0, head.sequence - first.sequence + 1);
  const stop = Math.min(end, cutting.anchored ?? end, head.sequence + MOST_CUT + 1);
  let time = told === undefined ? undefined : Date.parse(told.before);
  const least = left > 0 ? Date.parse(told?.before ?? '') : Number.NEGATIVE_INFINITY;
  let [before, undated] = [Math.max(least, Math.min(cutting.before, pausedBefore(told, cutting))), 0];
  let oldest: Oldest = { records: left, undated, last: head, before };
  for (let isFirst = true; ;) {
    const batch = await source.after(head.sequence);
    if (batch.length === 0) throw brokenAt(head.sequence + 1);
    for (const entry of batch) {
      if (entry.sequence !== head.sequence + 1 || !isSealedAfter(head, entry)) throw brokenAt(head.sequence + 1);
      const recorded = recordedOf(entry.body);
      const isDated = recorded <= cutting.now;
      if (isDated && isFirst) [before, isFirst] = [Math.max(least, Math.min(before, recorded + cutting.reach)), false];
      if (isDated) time = recorded;
      else undated += 1;
      if (entry.sequence >= stop || (time !== undefined && time >= before)) return oldest;
      head = { sequence: entry.sequence, hash: entry.hash };
      // What says no time at the very beginning is as old as the first record that says one.
      if (time !== undefined)
        oldest = { records: left + head.sequence - (told?.sequence ?? 0), undated, last: head, before };
    }
    await source.goOn();
  }
}

/**
 * Before when what goes was recorded, as long as the last cut is none of another day: one that says a day to come was
 * told by a clock that was wrong.
 */
function pausedBefore(told: SealedCut | undefined, { now, pause }: Cutting): number {
  if (told === undefined || Math.abs(now - Date.parse(told.recorded)) >= pause) return Number.POSITIVE_INFINITY;
  return Date.parse(told.before);
}

/** The last cut that the chain tells of: it is to reach the first record that is there. */
async function lastCut(source: CutSource, first: ChainEntry, end: number, { isOurs }: Cutting): Promise<SealedCut> {
  for (let last = end + 1; last > first.sequence; await source.goOn()) {
    const batch = await source.before(last);
    const telling = batch.find(({ body }) => tellsOfCut(body));
    if (telling !== undefined) {
      const cut = cutOf(JSON.parse(telling.body) as ChainedEvent, telling.sequence);
      if (cut === undefined || !(await isOurs(cut)))
        throw brokenAt(telling.sequence, 'it tells of a cut of another seal');
      if (cut.sequence < first.sequence - 1) throw brokenAt(cut.sequence + 1);
      if (cut.sequence >= first.sequence && (await source.before(cut.sequence + 1))[0]?.hash !== cut.hash)
        throw brokenAt(cut.sequence);
      return cut;
    }
    last = batch.at(-1)?.sequence ?? 0;
  }
  throw brokenAt(1);
}

function brokenAt(sequence: number, why = 'the chain is broken there'): Fault {
  return new Fault('conflict', `Nothing is cut off the audit trail at record ${sequence}: ${why}`);
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
