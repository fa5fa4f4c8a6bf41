/** Everything that stands in a world, and the answers that follow from `decide` and `matchesCriterion`. */
import { matchesCriterion, type IndexedResource, type Neighbours } from '../../../profiles/search/match.ts';
import {
  compareInList,
  compareSorted,
  sortValueOf,
  type Sorted,
  type SortKey,
} from '../../../profiles/search/order.ts';
import type { SearchQuery } from '../../../profiles/search/query.ts';
import { decide, OPEN_STATE, type PatientState, type RowFacts } from '../../../server/access/decide.ts';
import type { Grant } from '../../../server/access/grant.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { joinedRight, NO_ORIGIN, rightsGivenBy, rightsLeftBy } from '../../../server/access/rights-of.ts';
import { consentOf, type Right } from '../../../server/access/right.ts';
import type { CommitPlan, Put } from '../../../server/ports/commit-plan.ts';
import type { ShownBy } from '../../../server/ports/record-store.ts';
import { aPlan } from '../../support/plans.ts';
import { referenceOf, type Change, type Slot } from './world.ts';

/** What a page must hold: references in order, and included ones sorted. */
export type ExpectedPage = {
  readonly rows: readonly string[];
  readonly included: readonly string[];
  readonly total: number | undefined;
  readonly hasNext: boolean;
};

type Facts = { readonly person: PersonKey | undefined; readonly facts: RowFacts };

type Rekey = Change['rekeys'][number];

function indexed({ type, id, index }: Put): IndexedResource {
  return { ...index, type, id };
}

function placeOf({ sort, id, index }: Put, order: readonly SortKey[]): Sorted {
  return { sort, id, keys: order.map((key) => sortValueOf({ ...index, sort, id }, key)) };
}

/** A switch that is on for one of them. */
function anyOf(one: PatientState, other: PatientState): PatientState {
  return {
    opposed: one.opposed || other.opposed,
    withdrawn: one.withdrawn || other.withdrawn,
    erasurePending: one.erasurePending || other.erasurePending,
    accountOff: one.accountOff || other.accountOff,
  };
}

function givenBy(row: Put): readonly Right[] {
  const { type, id, person, origin = NO_ORIGIN } = row;
  return rightsGivenBy({ type, id, person, origin, content: () => row.resource });
}

/** The oracle. */
export class Model {
  readonly #rows = new Map<string, Put>();
  /** What deleted rows left, by the row. */
  readonly #left = new Map<string, readonly Right[]>();
  /** The rows that give each right, by its id: the one that began first at first. */
  #givers: ReadonlyMap<string, readonly string[]> = new Map();
  #rights: readonly Right[] = [];
  readonly #states = new Map<PersonKey, PatientState>();
  readonly #joined = new Map<PersonKey, PersonKey>();

  /** Applies a change and gives the plan that does the same to a store. */
  apply(change: Change): CommitPlan {
    const rekeys = change.rekeys.flatMap((rekey) => this.#join(rekey));
    const puts = change.puts.map((put) =>
      put.person === undefined ? put : this.#renamed({ ...put, person: put.person }),
    );
    const deletes = change.deletes.filter((slot) => !puts.some((put) => referenceOf(put) === referenceOf(slot)));
    const states = change.states.map((state) => this.#renamed(state));
    for (const slot of deletes) this.#delete(referenceOf(slot));
    for (const put of puts) this.#put(put);
    for (const { person, change: state } of states) this.#states.set(person, { ...this.#stateOf(person), ...state });
    this.#derive(puts.map(referenceOf));
    return aPlan({ puts, deletes, states, rekeys });
  }

  /** A row comes from whom it came before, unless it says otherwise. */
  #put(put: Put): void {
    const key = referenceOf(put);
    const origin = put.origin ?? this.#rows.get(key)?.origin;
    this.#left.delete(key);
    this.#rows.set(key, { ...put, ...(origin === undefined ? {} : { origin }) });
  }

  #delete(key: string): void {
    const row = this.#rows.get(key);
    if (row !== undefined) this.#left.set(key, rightsLeftBy(givenBy(row)));
    this.#rows.delete(key);
  }

  /** All rights, from scratch; of the rows that begin to give one the order is that of the plan. */
  #derive(order: readonly string[]): void {
    const given = [...[...this.#rows.values()].flatMap(givenBy), ...[...this.#left.values()].flat()];
    const byId = Map.groupBy(given, ({ id }) => id);
    const givers = [...byId].map(([id, rights]) => {
      const now = rights.map(({ giver }) => giver);
      const still = (this.#givers.get(id) ?? []).filter((giver) => now.includes(giver));
      const fresh = now.filter((giver) => !still.includes(giver));
      return [id, [...still, ...fresh.toSorted((a, b) => order.indexOf(a) - order.indexOf(b))]] as const;
    });
    this.#givers = new Map(givers);
    this.#rights = [...byId].flatMap(([id, [right]]) =>
      right === undefined ? [] : [{ ...right, giver: this.#givers.get(id)?.[0] ?? '' }],
    );
  }

  /** Joins persons by their present keys; those that are one already need nothing. */
  #join(rekey: Rekey): Rekey[] {
    const [from, to] = [this.#presentKey(rekey.from), this.#presentKey(rekey.to)];
    if (from === to) return [];
    for (const [key, row] of this.#rows) if (row.person === from) this.#rows.set(key, { ...row, person: to });
    for (const [key, rights] of this.#left)
      this.#left.set(
        key,
        rights.map((right) => (right.person === from ? joinedRight(right, from, to) : right)),
      );
    const givers = new Map(this.#givers);
    for (const right of this.rightsOf(from)) {
      const { id } = joinedRight(right, from, to);
      if (id === right.id) continue;
      givers.set(id, [...(givers.get(id) ?? []), ...(givers.get(right.id) ?? [])]);
      givers.delete(right.id);
    }
    this.#givers = givers;
    this.#derive([]);
    this.#states.set(to, anyOf(this.#stateOf(from), this.#stateOf(to)));
    this.#joined.set(from, to);
    return [{ from, to }];
  }

  #presentKey(person: PersonKey): PersonKey {
    const next = this.#joined.get(person);
    return next === undefined ? person : this.#presentKey(next);
  }

  #renamed<T extends { readonly person: PersonKey }>(part: T): T {
    return { ...part, person: this.#presentKey(part.person) };
  }

  /** Whether a grant shows the row of a place. */
  sees(grant: Grant, slot: Slot): boolean {
    const row = this.#rows.get(referenceOf(slot));
    const known = row === undefined ? undefined : this.#factsOf(row);
    if (known === undefined) return false;
    return decide(grant, known.facts, this.rightsOf(known.person), this.#stateOf(known.person)).permitted;
  }

  /** The right by which a grant is shown the row of a place; undefined for the directory. */
  shownBy(grant: Grant, slot: Slot): ShownBy | undefined {
    const row = this.#rows.get(referenceOf(slot));
    const known = row === undefined ? undefined : this.#factsOf(row);
    if (known === undefined) throw new Error('No such row stands');
    const decision = decide(grant, known.facts, this.rightsOf(known.person), this.#stateOf(known.person));
    if (!decision.permitted) throw new Error(`The row is not shown: ${decision.layer}`);
    const { right } = decision;
    return right === undefined ? undefined : { rightId: right.id, relation: right.relation, source: consentOf(right) };
  }

  /** All pages of a search. */
  pagesOf(grant: Grant, query: SearchQuery): readonly ExpectedPage[] {
    const found = this.#find(grant, query);
    const total = query.total === 'none' ? undefined : found.length;
    if (query.summary === 'count') return [{ rows: [], included: [], total, hasNext: false }];
    const pages: ExpectedPage[] = [];
    for (let at = 0; at === 0 || at < found.length; at += query.count) {
      const rows = found.slice(at, at + query.count);
      pages.push({
        rows: rows.map(referenceOf),
        included: this.#included(grant, rows, query),
        total,
        hasNext: at + query.count < found.length,
      });
    }
    return pages;
  }

  #find(grant: Grant, query: SearchQuery): readonly Put[] {
    const { order = [] } = query;
    const isReversed = order.length === 1 && order[0]?.by === 'moment' && !order[0].descending;
    const neighbours: Neighbours = {
      targets: (target, references) =>
        references
          .flatMap((reference) => this.#rows.get(reference) ?? [])
          .filter((row) => row.type === target && this.sees(grant, row))
          .map(indexed),
      sources: (source, param, reference) =>
        this.#referring(param, [reference])
          .filter((row) => row.type === source && this.sees(grant, row))
          .map(indexed),
    };
    return [...this.#rows.values()]
      .filter((row) => row.type === query.type && this.sees(grant, row))
      .filter((row) => query.where.every((criterion) => matchesCriterion(indexed(row), criterion, neighbours)))
      .map((row) => ({ row, place: placeOf(row, order) }))
      .sort((a, b) => (isReversed ? compareInList(b.place, a.place) : compareSorted(order, a.place, b.place)))
      .map(({ row }) => row);
  }

  #included(grant: Grant, rows: readonly Put[], query: SearchQuery): readonly string[] {
    const held = new Set(rows.map(referenceOf));
    const targets = rows.flatMap((row) =>
      query.include.flatMap(({ param, target }) =>
        row.index.references
          .filter((entry) => entry.param === param && (target === undefined || entry.target.startsWith(`${target}/`)))
          .map((entry) => entry.target),
      ),
    );
    const { revinclude = [] } = query;
    const sources = revinclude.flatMap(({ source, param }) =>
      this.#referring(param, [...held]).filter(({ type }) => type === source),
    );
    return [...new Set([...targets, ...sources.map(referenceOf)])]
      .filter((reference) => !held.has(reference))
      .filter((reference) => {
        const row = this.#rows.get(reference);
        return row !== undefined && this.sees(grant, row);
      })
      .sort();
  }

  #referring(param: string, references: readonly string[]): readonly Put[] {
    return [...this.#rows.values()].filter(({ index }) =>
      index.references.some((entry) => entry.param === param && references.includes(entry.target)),
    );
  }

  /** A part is known by its item: without one it is nobody's. */
  #factsOf(row: Put): Facts | undefined {
    const item = row.parent === undefined ? row : this.#rows.get(row.parent);
    if (item === undefined) return undefined;
    const { level, released, person } = item;
    return { person, facts: { type: row.type, item: referenceOf(item), level, released } };
  }

  /** The rights of a person. */
  rightsOf(person: PersonKey | undefined): readonly Right[] {
    return this.#rights.filter((right) => right.person === person);
  }

  #stateOf(person: PersonKey | undefined): PatientState {
    return (person === undefined ? undefined : this.#states.get(person)) ?? OPEN_STATE;
  }
}
