/**
 * Warrants: what may be written, as terms that stores check in their transaction. They are instances of a class with
 * private state that `server/access` alone makes, so that a write without one neither compiles nor runs: a copy, a
 * literal or a structured clone lacks that state. To other threads goes {@link termsOf}, plain data.
 */
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { Basis } from './basis.ts';
import type { PersonKey } from './requester.ts';

/** What a plan writes: a type, or the rows beside FHIR that come with images. */
export type Written = StoredType | 'instance' | 'quarantined';

/**
 * Whose rows: those of some persons (with none, rows of nobody, as the directory is), or those that are of one study,
 * by Study Instance UID.
 */
export type Whose = { readonly persons: readonly PersonKey[] } | { readonly study: string };

/** Rows that a warrant lets a plan write. */
export type Reach = {
  readonly types: readonly Written[];
  readonly whose: Whose;
  /**
   * `own`: the plan has an event for each person whose rows it changes. `asking`: the event of who asked for this work
   * is durable already, or ends it.
   */
  readonly event: 'own' | 'asking';
};

/** What a warrant says. `act` tells an error of ours from another. */
export type WarrantTerms = {
  readonly act: string;
  readonly reaches: readonly Reach[];
  /** What the decision rested on: the store looks at it again in its transaction. */
  readonly bases: readonly Basis[];
};

const MAKING = Symbol('making');

class Warrant {
  readonly #terms: WarrantTerms;

  constructor(key: symbol, terms: WarrantTerms) {
    refuseUnless(key === MAKING);
    this.#terms = frozenCopy(terms);
    Object.freeze(this);
  }

  static termsOf(value: unknown): WarrantTerms {
    if (typeof value !== 'object' || value === null || !(#terms in value)) throw new TypeError(NOT_MADE_HERE);
    return value.#terms;
  }
}

Object.freeze(Warrant.prototype);

export type { Warrant };

/** Makes a warrant: for the files of `server/access` that decide, and for nobody else. */
export function makeWarrant(terms: WarrantTerms): Warrant {
  return new Warrant(MAKING, terms);
}

/** One warrant for the entries of one transaction, each of which was decided by itself. */
export function jointWarrant(warrants: readonly Warrant[]): Warrant {
  const all = warrants.map(termsOf);
  return makeWarrant({
    act: [...new Set(all.map(({ act }) => act))].join(', '),
    reaches: all.flatMap(({ reaches }) => reaches),
    bases: withoutRepeats(all.flatMap(({ bases }) => bases)),
  });
}

/**
 * What adapters ask at their port: the terms of a warrant.
 * @throws {TypeError} the value is not a warrant that `server/access` made
 */
export function termsOf(value: Warrant): WarrantTerms {
  return Warrant.termsOf(value);
}

const NOT_MADE_HERE = 'Only server/access makes warrants';

function refuseUnless(isGenuine: boolean): void {
  if (!isGenuine) throw new TypeError(NOT_MADE_HERE);
}

/** A copy of plain data that nobody changes. */
function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const copy = Array.isArray(value)
    ? value.map(frozenCopy)
    : Object.fromEntries(Object.entries(value).map(([name, part]) => [name, frozenCopy(part as unknown)]));
  return Object.freeze(copy) as T;
}

function withoutRepeats(bases: readonly Basis[]): Basis[] {
  return [...new Map(bases.map((basis) => [JSON.stringify(basis), basis])).values()];
}
