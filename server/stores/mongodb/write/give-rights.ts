/** Keeps the rights that rows give: one for each principal, relation, scope and time, and the rows that give it. */
import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import { joinedRight, NO_ORIGIN, rightsGivenBy, rightsLeftBy } from '../../../access/rights-of.ts';
import type { PersonKey } from '../../../access/requester.ts';
import { consentOf, type Right } from '../../../access/right.ts';
import type { Erasure } from '../../../ports/commit-plan.ts';
import { fromRightDocument, rowKey, toRightDocument } from './acl-rows.ts';
import type { Collections } from '../collections.ts';
import type { RightDocument } from '../documents.ts';
import { standingRow, type RowChange } from './row-changes.ts';

/** Which rights begin with a plan, or say something else from now on, and which end with it. */
export type RightChanges = { readonly begun: readonly Right[]; readonly ended: readonly Right[] };

const NONE: RightChanges = { begun: [], ended: [] };

/** Writes the rights that follow from the rows that a plan changes and erases. */
export async function changeRights(
  { rights }: Collections,
  changes: readonly RowChange[],
  erasures: readonly Erasure[],
  session: ClientSession,
): Promise<RightChanges> {
  const put = new Map(changes.map((change) => [change.after._id, change]));
  const erased = erasures.flatMap(({ rows = [] }) => rows).map(({ type, id }) => rowKey(type, id));
  const known = [...erased, ...changes.filter(({ before }) => before !== undefined).map(({ after }) => after._id)];
  const given = new Map(changes.map(({ after }) => [after._id, givenAfter(after)]));
  const ids = [...given.values()].flatMap((all) => all.map(({ id }) => id));
  if (known.length === 0 && ids.length === 0) return NONE;
  const found = await rights.find(namedBy(known, ids), { session }).toArray();
  const kept = new Kept(found);
  for (const key of erased) if (!put.has(key)) kept.give(key, []);
  for (const [key, { after }] of put)
    kept.give(key, after.gone === true ? rightsLeftBy(kept.givenBy(key)) : (given.get(key) ?? []));
  const { operations, ...changed } = kept.changes();
  if (operations.length > 0) await rights.bulkWrite([...operations], { session });
  return changed;
}

/** Those that some rows give, and those of some ids. */
function namedBy(givers: readonly string[], ids: readonly string[]) {
  const [ofRows, ofIds] = [{ givers: { $in: [...givers] } }, { _id: { $in: [...ids] } }];
  if (givers.length === 0) return ofIds;
  return ids.length === 0 ? ofRows : { $or: [ofRows, ofIds] };
}

/** A row that is gone gives what it leaves. */
function givenAfter(after: RowChange['after']): readonly Right[] {
  const row = standingRow(after);
  if (row === undefined) return [];
  const { type, id, json } = row;
  const [person, origin] = [row.person ?? undefined, row.origin ?? NO_ORIGIN];
  return rightsGivenBy({ type, id, person, origin, content: () => JSON.parse(json) as object });
}

/** The rights that a plan concerns, as they stood and as they become. */
class Kept {
  readonly #before: ReadonlyMap<string, RightDocument>;
  readonly #byGiver: ReadonlyMap<string, readonly RightDocument[]>;
  readonly #after: Map<string, RightDocument>;

  constructor(found: readonly RightDocument[]) {
    this.#before = new Map(found.map((right) => [right._id, right]));
    this.#after = new Map(this.#before);
    const pairs = found.flatMap((right) => right.givers.map((giver) => ({ giver, right })));
    const grouped = Map.groupBy(pairs, ({ giver }) => giver);
    this.#byGiver = new Map([...grouped].map(([giver, all]) => [giver, all.map(({ right }) => right)]));
  }

  /** What a row gave before. */
  givenBy(giver: string): readonly Right[] {
    return (this.#byGiver.get(giver) ?? []).map(fromRightDocument);
  }

  /** Says what a row gives from now on; each row is told of once. */
  give(giver: string, rights: readonly Right[]): void {
    const isAmong = (all: readonly Right[], { id, person }: Right): boolean =>
      all.some((right) => right.id === id && right.person === person);
    const before = this.givenBy(giver);
    for (const right of before) if (!isAmong(rights, right)) this.#stop(right, giver);
    for (const right of rights) if (!isAmong(before, right)) this.#begin(right, giver);
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

  #begin(right: Right, giver: string): void {
    const givers = this.#after.get(right.id)?.givers ?? [];
    this.#after.set(right.id, toRightDocument(right, [...givers, giver]));
  }

  /** A right goes with its last giver; else the one that began next stands in it. */
  #stop({ id }: Right, giver: string): void {
    const right = this.#after.get(id);
    const givers = right?.givers.filter((other) => other !== giver) ?? [];
    if (right === undefined || givers.length === 0) this.#after.delete(id);
    else this.#after.set(id, { ...right, givers });
  }
}

function isShownOtherwise(before: RightDocument, after: RightDocument): boolean {
  const [one, other] = [fromRightDocument(before), fromRightDocument(after)];
  return one.person !== other.person || consentOf(one) !== consentOf(other);
}

/** Moves the rights of a person to another one, with the rows that give them: behind those that gave them already. */
export async function joinRights(
  { rights, acl }: Collections,
  { from, to }: { readonly from: PersonKey; readonly to: PersonKey },
  session: ClientSession,
): Promise<void> {
  const former = await rights.find({ person: from }, { session }).toArray();
  if (former.length === 0) return;
  const joined = former.map((right) => ({
    right: joinedRight(fromRightDocument(right), from, to),
    givers: right.givers,
  }));
  const ids = joined.map(({ right }) => right.id);
  const standing = await rights.find({ _id: { $in: ids }, person: to }, { session }).toArray();
  const givers = new Map(standing.map((right) => [right._id, right.givers]));
  const documents = joined.map(({ right, givers: moved }) =>
    toRightDocument(right, [...(givers.get(right.id) ?? []), ...moved]),
  );
  const gone = former.map(({ _id }) => _id);
  await acl.deleteMany({ rightId: { $in: gone } }, { session });
  await rights.deleteMany({ _id: { $in: gone } }, { session });
  await rights.bulkWrite(
    documents.map((right) => ({
      replaceOne: { filter: { _id: right._id }, replacement: right, upsert: true },
    })),
    { session },
  );
}
