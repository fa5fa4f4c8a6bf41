/** Keeps the rights that rows give: one for each principal, relation, scope and time, and the rows that give it. */
import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import { movedRight, NO_ORIGIN, rightsGivenBy, rightsLeftBy } from '../../../access/rights-of.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { consentOf, type Right } from '../../../access/right.ts';
import type { Erasure } from '../../../ports/commit-plan.ts';
import { nextPlace } from '../../places.ts';
import { fromRightDocument, giversIn, giversOf, rowKey, toRightDocument, type Giver } from './acl-rows.ts';
import type { Collections } from '../collections.ts';
import type { RightDocument, StoredRow } from '../documents.ts';
import type { Moved } from './move.ts';
import { standingRow, type StagedRows } from './row-changes.ts';

/** Which rights begin with a plan, or say something else from now on, and which end with it. */
export type RightChanges = { readonly begun: readonly Right[]; readonly ended: readonly Right[] };

const NONE: RightChanges = { begun: [], ended: [] };

/** What of a plan changes rights: rows before and after it, those that moved, and in which order others are written. */
export type RightsFrom = Pick<StagedRows, 'changes' | 'written'> & {
  readonly erasures: readonly Erasure[];
  readonly moved: Pick<Moved, 'steps'>;
};

/** Writes the rights that follow from the rows that a plan erases, moves, deletes and puts, one after the other. */
export async function changeRights(
  { rights }: Collections,
  { changes, written, erasures, moved }: RightsFrom,
  session: ClientSession,
): Promise<RightChanges> {
  const erased = erasures.flatMap(({ rows = [] }) => rows).map(({ type, id }) => rowKey(type, id));
  const stood = [...changes.values()].filter(({ before }) => before !== undefined).map(({ after }) => after._id);
  const known = [...erased, ...stood, ...moved.steps.map(({ key }) => key)];
  const given = written.map((row) => ({ row, gives: givenAfter(row) }));
  const begins = given.flatMap(({ gives }) => gives.map(({ id }) => id));
  if (known.length === 0 && begins.length === 0) return NONE;
  const found = await rights.find(namedBy(known, begins), { session }).toArray();
  const kept = new Kept([...found, ...(await joinedBy(rights, found, moved, session))]);
  for (const key of erased) kept.give(key, []);
  for (const { key, from, to } of moved.steps) kept.move(key, from, to);
  for (const { row, gives } of given)
    kept.give(row._id, row.gone === true ? rightsLeftBy(kept.givenBy(row._id)) : gives);
  const { operations, ...changed } = kept.changes();
  if (operations.length > 0) await rights.bulkWrite([...operations], { session });
  return changed;
}

/** Those that rights become when the rows move that give them. */
async function joinedBy(
  rights: Collections['rights'],
  found: readonly RightDocument[],
  { steps }: Pick<Moved, 'steps'>,
  session: ClientSession,
): Promise<readonly RightDocument[]> {
  const known = new Set(found.map(({ _id }) => _id));
  const ways = [...new Map(steps.map(({ from, to }) => [`${from} ${to}`, { from, to }])).values()];
  const become = new Map(found.map((right) => [right._id, fromRightDocument(right)]));
  for (const { from, to } of ways)
    for (const right of [...become.values()].filter(({ person }) => person === from)) {
      const moved = movedRight(right, from, to);
      become.set(moved.id, become.get(moved.id) ?? moved);
    }
  const missing = [...become.keys()].filter((id) => !known.has(id));
  return missing.length === 0 ? [] : await rights.find({ _id: { $in: missing } }, { session }).toArray();
}

/** Those that some rows give, and those of some ids. */
function namedBy(givers: readonly string[], ids: readonly string[]) {
  const [ofRows, ofIds] = [{ givers: { $in: [...givers] } }, { _id: { $in: [...ids] } }];
  if (givers.length === 0) return ofIds;
  return ids.length === 0 ? ofRows : { $or: [ofRows, ofIds] };
}

/** A row that is gone gives what it leaves. */
function givenAfter(after: StoredRow): readonly Right[] {
  const row = standingRow(after);
  if (row === undefined) return [];
  const { type, id, json } = row;
  const [person, origin] = [row.person ?? undefined, row.origin ?? NO_ORIGIN];
  return rightsGivenBy({ type, id, person, origin, content: () => JSON.parse(json) as object });
}

/** The rights that a plan concerns, as they stood and as they become. */
class Kept {
  readonly #before: ReadonlyMap<string, RightDocument>;
  readonly #after: Map<string, RightDocument>;
  /** Ids of the rights that each row gives. */
  readonly #byGiver = new Map<string, Set<string>>();

  constructor(found: readonly RightDocument[]) {
    this.#before = new Map(found.map((right) => [right._id, right]));
    this.#after = new Map(this.#before);
    for (const { _id, givers } of found) for (const giver of givers) this.#idsOf(giver).add(_id);
  }

  /** What a row gives. */
  givenBy(giver: string): readonly Right[] {
    return [...this.#idsOf(giver)].flatMap((id) => this.#after.get(id) ?? []).map(fromRightDocument);
  }

  /** Says what a row gives from now on. */
  give(giver: string, rights: readonly Right[]): void {
    const isAmong = (all: readonly Right[], { id, person }: Right): boolean =>
      all.some((right) => right.id === id && right.person === person);
    const before = this.givenBy(giver);
    for (const right of before) if (!isAmong(rights, right)) this.#stop(right, giver);
    for (const right of rights) if (!isAmong(before, right)) this.#begin(right, { giver, place: nextPlace() });
  }

  /** Lets a row give the rights of another person that it gave of one, each in the place where it began. */
  move(giver: string, from: PersonKey, to: PersonKey): void {
    for (const right of this.givenBy(giver).filter(({ person }) => person === from))
      this.#begin(movedRight(right, from, to), { giver, place: this.#stop(right, giver) });
  }

  changes(): RightChanges & { readonly operations: readonly AnyBulkWriteOperation<RightDocument>[] } {
    const [begun, ended]: [Right[], Right[]] = [[], []];
    const operations: AnyBulkWriteOperation<RightDocument>[] = [];
    for (const [_id, right] of this.#after) {
      const before = this.#before.get(_id);
      if (before === right) continue;
      operations.push({ replaceOne: { filter: { _id }, replacement: right, upsert: true } });
      if (before === undefined || isShownOtherwise(before, right)) begun.push(fromRightDocument(right));
    }
    for (const [_id, right] of this.#before) {
      const after = this.#after.get(_id);
      if (after === undefined) operations.push({ deleteOne: { filter: { _id } } });
      if (after === undefined || after.person !== right.person) ended.push(fromRightDocument(right));
    }
    return { begun, ended, operations };
  }

  #begin(right: Right, giver: Giver): void {
    const standing = this.#after.get(right.id);
    const givers = [...(standing === undefined ? [] : giversOf(standing)), giver].toSorted(firstBegun);
    this.#after.set(right.id, toRightDocument(right, givers));
    this.#idsOf(giver.giver).add(right.id);
  }

  /** A right goes with its last giver; else the one that began next stands in it. Answers where the row began. */
  #stop({ id }: Right, giver: string): number {
    this.#idsOf(giver).delete(id);
    const right = this.#after.get(id);
    const all = right === undefined ? [] : giversOf(right);
    const givers = all.filter((other) => other.giver !== giver);
    if (right === undefined || givers.length === 0) this.#after.delete(id);
    else this.#after.set(id, { ...right, ...giversIn(givers) });
    return all.find((other) => other.giver === giver)?.place ?? nextPlace();
  }

  #idsOf(giver: string): Set<string> {
    const ids = this.#byGiver.get(giver) ?? new Set<string>();
    this.#byGiver.set(giver, ids);
    return ids;
  }
}

function firstBegun(one: Giver, other: Giver): number {
  return one.place - other.place || (one.giver < other.giver ? -1 : 1);
}

function isShownOtherwise(before: RightDocument, after: RightDocument): boolean {
  const [one, other] = [fromRightDocument(before), fromRightDocument(after)];
  return one.person !== other.person || consentOf(one) !== consentOf(other);
}
