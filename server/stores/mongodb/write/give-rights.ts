/** Keeps the rights that rows give: one for each principal, relation, scope and time, and the rows that give it. */
import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import { decodeLabel } from '../../../../profiles/confidentiality.ts';
import { movedRight, NO_ORIGIN, rightsGivenBy, rightsLeftBy } from '../../../access/rights-of.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { consentOf, type Right } from '../../../access/right.ts';
import type { Erasure } from '../../../ports/commit-plan.ts';
import { nextPlace } from '../../places.ts';
import { fromRightDocument, giversOf, rowKey, toRightDocument, type Giver } from './acl-rows.ts';
import type { Collections } from '../collections.ts';
import type { RightDocument, StoredRow } from '../documents.ts';
import type { Moved } from './move.ts';
import { PORTION, portionsInTurns } from './portions.ts';
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
  const found = await rights.find(namedBy(known, begins), { session, batchSize: PORTION.others }).toArray();
  const kept = new Kept();
  const all = [...found, ...(await joinedBy(rights, found, moved, session))];
  for await (const portion of portionsInTurns(all, PORTION.others)) kept.add(portion);
  for (const key of erased) kept.give(key, []);
  for await (const portion of portionsInTurns(moved.steps, PORTION.others))
    for (const { key, from, to } of portion) kept.move(key, from, to);
  for (const { row, gives } of given)
    kept.give(row._id, row.gone === true ? rightsLeftBy(kept.givenBy(row._id)) : gives);
  return await writeRights(rights, kept, session);
}

async function writeRights(rights: Collections['rights'], kept: Kept, session: ClientSession): Promise<RightChanges> {
  const [begun, ended]: [Right[], Right[]] = [[], []];
  for await (const ids of portionsInTurns(kept.changed(), PORTION.others)) {
    const changes = kept.changesOf(ids);
    begun.push(...changes.begun);
    ended.push(...changes.ended);
    if (changes.operations.length > 0) await rights.bulkWrite([...changes.operations], { session });
  }
  return { begun, ended };
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
  const { masks } = decodeLabel(row.level);
  const [person, origin] = [row.person ?? undefined, row.origin ?? NO_ORIGIN];
  return rightsGivenBy({ type, id, person, origin, masks, content: () => JSON.parse(json) as object });
}

/** A right as it becomes: the rows that give it, with the place where each began. */
type KeptRight = { readonly right: Right; readonly places: Map<string, number> };

/** The rights that a plan concerns, as they stood and as they become. A thousand rows may give one of them. */
class Kept {
  readonly #before = new Map<string, RightDocument>();
  readonly #after = new Map<string, KeptRight>();
  readonly #changed = new Set<string>();
  /** Ids of the rights that each row gives. */
  readonly #byGiver = new Map<string, Set<string>>();

  /** Says which stand, before anything is said of what rows give. */
  add(found: readonly RightDocument[]): void {
    for (const right of found) {
      this.#before.set(right._id, right);
      this.#after.set(right._id, toKept(right));
      for (const giver of right.givers) this.#idsOf(giver).add(right._id);
    }
  }

  /** What a row gives. */
  givenBy(giver: string): readonly Right[] {
    return this.#keptBy(giver).map(({ right, places }) => ({ ...right, giver: inOrder(places)[0]?.giver ?? giver }));
  }

  /** Says what a row gives from now on. */
  give(giver: string, rights: readonly Right[]): void {
    const isAmong = (all: readonly Right[], { id, person }: Right): boolean =>
      all.some((right) => right.id === id && right.person === person);
    const before = this.#keptBy(giver).map(({ right }) => right);
    for (const right of before) if (!isAmong(rights, right)) this.#stop(right, giver);
    for (const right of rights) if (!isAmong(before, right)) this.#begin(right, { giver, place: nextPlace() });
  }

  /** Lets a row give the rights of another person that it gave of one, each in the place where it began. */
  move(giver: string, from: PersonKey, to: PersonKey): void {
    for (const { right } of this.#keptBy(giver).filter((kept) => kept.right.person === from))
      this.#begin(movedRight(right, from, to), { giver, place: this.#stop(right, giver) });
  }

  /** Ids of those of which anything was said. */
  changed(): readonly string[] {
    return [...this.#changed];
  }

  /** What becomes of some of these. */
  changesOf(
    ids: readonly string[],
  ): RightChanges & { readonly operations: readonly AnyBulkWriteOperation<RightDocument>[] } {
    const [begun, ended]: [Right[], Right[]] = [[], []];
    const operations: AnyBulkWriteOperation<RightDocument>[] = [];
    for (const _id of ids) {
      const [before, kept] = [this.#before.get(_id), this.#after.get(_id)];
      const after = kept && toRightDocument(kept.right, inOrder(kept.places));
      if (after !== undefined) operations.push({ replaceOne: { filter: { _id }, replacement: after, upsert: true } });
      else if (before !== undefined) operations.push({ deleteOne: { filter: { _id } } });
      if (after !== undefined && (before === undefined || isShownOtherwise(before, after)))
        begun.push(fromRightDocument(after));
      if (before !== undefined && after?.person !== before.person) ended.push(fromRightDocument(before));
    }
    return { begun, ended, operations };
  }

  #begin(right: Right, { giver, place }: Giver): void {
    const { places } = this.#after.get(right.id) ?? { places: new Map<string, number>() };
    this.#after.set(right.id, { right, places: places.set(giver, place) });
    this.#changed.add(right.id);
    this.#idsOf(giver).add(right.id);
  }

  /** A right goes with its last giver; else the one that began next stands in it. Answers where the row began. */
  #stop({ id }: Right, giver: string): number {
    this.#idsOf(giver).delete(id);
    const { places } = this.#after.get(id) ?? { places: new Map<string, number>() };
    const place = places.get(giver) ?? nextPlace();
    places.delete(giver);
    if (places.size === 0) this.#after.delete(id);
    this.#changed.add(id);
    return place;
  }

  #keptBy(giver: string): readonly KeptRight[] {
    return [...this.#idsOf(giver)].flatMap((id) => this.#after.get(id) ?? []);
  }

  #idsOf(giver: string): Set<string> {
    const ids = this.#byGiver.get(giver) ?? new Set<string>();
    this.#byGiver.set(giver, ids);
    return ids;
  }
}

function toKept(right: RightDocument): KeptRight {
  const places = new Map(giversOf(right).map(({ giver, place }) => [giver, place]));
  return { right: fromRightDocument(right), places };
}

function inOrder(places: ReadonlyMap<string, number>): readonly Giver[] {
  return [...places].map(([giver, place]) => ({ giver, place })).toSorted(firstBegun);
}

function firstBegun(one: Giver, other: Giver): number {
  return one.place - other.place || (one.giver < other.giver ? -1 : 1);
}

function isShownOtherwise(before: RightDocument, after: RightDocument): boolean {
  const [one, other] = [fromRightDocument(before), fromRightDocument(after)];
  return one.person !== other.person || consentOf(one) !== consentOf(other);
}
