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
import { datesFound, PARTS_OF_EXAMS } from '../../../profiles/types/row-rules.ts';
import { decide, OPEN_STATE, type PatientState, type RowFacts } from '../../../server/access/decide.ts';
import type { Grant } from '../../../server/access/grant.ts';
import type { PersonKey } from '../../../server/access/requester.ts';
import { movedRight, NO_ORIGIN, originAfter, rightsGivenBy, rightsLeftBy } from '../../../server/access/rights-of.ts';
import { consentOf, type Right } from '../../../server/access/right.ts';
import type { CommitPlan, Move, Put } from '../../../server/ports/commit-plan.ts';
import type { ShownBy } from '../../../server/ports/record-store.ts';
import { aPlan } from '../../support/plans.ts';
import { Identities } from './identities.ts';
import { IDENTITY_ROWS, referenceOf, type Change, type Slot } from './world.ts';

/** What a page must hold: references in order, and included ones sorted. */
export type ExpectedPage = {
  readonly rows: readonly string[];
  readonly included: readonly string[];
  readonly total: number | undefined;
  readonly hasNext: boolean;
};

type Facts = { readonly person: PersonKey | undefined; readonly facts: RowFacts };

function indexed({ type, id, index }: Put): IndexedResource {
  return { ...index, type, id };
}

/** What a place is remembered by: the row, and the right that it gives. */
function placeKey({ giver, person, id }: Right): string {
  return `${giver} ${person} ${id}`;
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
  const { type, id, person, origin = NO_ORIGIN, masks } = row;
  return rightsGivenBy({ type, id, person, origin, masks, content: () => row.resource });
}

/** A row, and whether it is deleted. Its person is the one that its identity is by itself. */
type Kept = { readonly row: Put; readonly isGone: boolean };

/** The oracle. */
export class Model {
  readonly #identities = new Identities();
  readonly #kept = new Map<string, Kept>();
  /** Where each row began to give a right, by both. */
  #places: ReadonlyMap<string, number> = new Map();
  #begun = 0;
  #rights: readonly Right[] = [];
  readonly #said = new Map<PersonKey, PatientState>();
  #isNew = true;

  /** Applies a change and gives the plan that does the same to a store. */
  apply(change: Change): CommitPlan {
    const moves = change.wishes.flatMap((wish) => this.#grant(wish));
    const deletes = change.deletes.filter((slot) => !change.puts.some((put) => referenceOf(put) === referenceOf(slot)));
    for (const slot of deletes) this.#delete(referenceOf(slot));
    for (const put of change.puts) this.#put(put);
    for (const { person, change: said } of change.states)
      this.#said.set(person, { ...(this.#said.get(person) ?? OPEN_STATE), ...said });
    this.#derive(change.puts.map(referenceOf));
    const first = this.#isNew ? IDENTITY_ROWS : [];
    this.#isNew = false;
    const puts = [...first, ...change.puts].map((put) => this.#present(put));
    return aPlan({ puts, deletes, states: change.states, moves });
  }

  get #rows(): ReadonlyMap<string, Put> {
    const standing = [...this.#kept].filter(([, { isGone }]) => !isGone);
    return new Map(standing.map(([key, { row }]) => [key, this.#shown(this.#present(row))]));
  }

  /** A row as it refers to the Patient that is shown in place of the one that it is filed under. */
  #shown(put: Put): Put {
    const { subject = '', index } = put;
    const references = index.references.map(({ param, target }) => ({
      param,
      target: target === subject ? this.#identities.shown(target) : target,
    }));
    return { ...put, index: { ...index, references } };
  }

  /** A row as it is of a person at present. */
  #present(put: Put): Put {
    return put.person === undefined ? put : { ...put, person: this.#identities.personOf(put.person) };
  }

  /** A row comes from whom it came before, unless it says otherwise. */
  #put(put: Put): void {
    const key = referenceOf(put);
    const before = this.#kept.get(key);
    const origin = originAfter(put, before?.isGone === false ? before.row.origin : undefined);
    this.#kept.set(key, { row: { ...put, ...(origin === undefined ? {} : { origin }) }, isGone: false });
  }

  #delete(key: string): void {
    const kept = this.#kept.get(key);
    if (kept !== undefined) this.#kept.set(key, { ...kept, isGone: true });
  }

  /** What the rows that an identity is filed under give, moves as it is; where each began stays. */
  #grant(wish: Change['wishes'][number]): readonly Move[] {
    const moves = this.#identities.grant(wish);
    const places = new Map(this.#places);
    for (const { home, from, to } of moves)
      for (const { row, isGone } of this.#kept.values())
        for (const right of row.person === home ? this.#givenAs({ row, isGone }, from) : []) {
          const place = places.get(placeKey(right)) ?? 0;
          places.delete(placeKey(right));
          places.set(placeKey(movedRight(right, from, to)), place);
        }
    this.#places = places;
    return moves;
  }

  #givenAs({ row, isGone }: Kept, person: PersonKey | undefined): readonly Right[] {
    const given = givenBy(person === undefined ? row : { ...row, person });
    return isGone ? rightsLeftBy(given) : given;
  }

  /** All rights, from scratch; of the rows that begin to give one the order is that of the plan. */
  #derive(order: readonly string[]): void {
    const given = [...this.#kept.values()].flatMap((kept) => this.#givenAs(kept, this.#present(kept.row).person));
    const places = new Map<string, number>();
    for (const right of given.toSorted((a, b) => order.indexOf(a.giver) - order.indexOf(b.giver)))
      places.set(placeKey(right), this.#places.get(placeKey(right)) ?? (this.#begun += 1));
    this.#places = places;
    const placeOf = (right: Right): number => places.get(placeKey(right)) ?? 0;
    const byId = Map.groupBy(given, ({ id }) => id);
    this.#rights = [...byId.values()].map((rights) =>
      rights.reduce((one, other) => (placeOf(other) < placeOf(one) ? other : one)),
    );
  }

  /** Whether a grant shows the row of a place. */
  sees(grant: Grant, slot: Slot): boolean {
    const row = this.#rows.get(referenceOf(slot));
    const known = row === undefined ? undefined : this.#factsOf(row);
    if (known === undefined) return false;
    return this.#decide(grant, known).permitted;
  }

  /** Whether a grant would be shown the row of a place if the person did not bar it. */
  bars(grant: Grant, slot: Slot): boolean {
    const row = this.#rows.get(referenceOf(slot));
    const known = row === undefined ? undefined : this.#factsOf(row);
    const decision = known && this.#decide(grant, known);
    return decision?.permitted === false && decision.layer === 'block';
  }

  #decide(grant: Grant, { facts, person }: Facts): ReturnType<typeof decide> {
    return decide(grant, facts, this.rightsOf(person), this.#stateOf(person));
  }

  /** The right by which a grant is shown the row of a place; undefined for the directory. */
  shownBy(grant: Grant, slot: Slot): ShownBy | undefined {
    const row = this.#rows.get(referenceOf(slot));
    const known = row === undefined ? undefined : this.#factsOf(row);
    if (known === undefined) throw new Error('No such row stands');
    const decision = this.#decide(grant, known);
    if (!decision.permitted) throw new Error(`The row is not shown: ${decision.layer}`);
    const { right } = decision;
    return right === undefined ? undefined : { rightId: right.id, relation: right.relation, source: consentOf(right) };
  }

  /** All pages of a search. */
  pagesOf(grant: Grant, query: SearchQuery): readonly ExpectedPage[] {
    const found = this.#find(grant, { ...query, where: query.where.map((one) => this.#identities.shownIn(one)) });
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
    const { level, masks, released, person } = item;
    const params = PARTS_OF_EXAMS.flatMap(({ type, param }) => (type === item.type ? [param] : []));
    const exams = item.index.references.flatMap(({ param, target }) => (params.includes(param) ? [target] : []));
    const dates = datesFound(item.type, item.index.dates);
    return { person, facts: { type: row.type, item: referenceOf(item), exams, dates, level, masks, released } };
  }

  /** The rights of a person. */
  rightsOf(person: PersonKey | undefined): readonly Right[] {
    return this.#rights.filter((right) => right.person === person);
  }

  /** A switch is on for a person when it is for one of the identities that are she. */
  #stateOf(person: PersonKey | undefined): PatientState {
    const identities = person === undefined ? [] : this.#identities.identitiesOf(person);
    return identities.map((home) => this.#said.get(home) ?? OPEN_STATE).reduce(anyOf, OPEN_STATE);
  }
}
