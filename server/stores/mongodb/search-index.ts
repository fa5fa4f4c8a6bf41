/** SearchIndex on MongoDB: any number of servers, each of which may index under another definition for a while. */
import type { AnyBulkWriteOperation, ClientSession, Filter } from 'mongodb';
import { EARLIEST_VERSION, type IndexDefinition } from '../../../profiles/search/index-definition.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { SystemGrant } from '../../access/grant.ts';
import { requireBound } from '../granted.ts';
import type { CurrentVersions, KeptDefinition, ReindexedRow, SearchIndex, StaleRow } from '../../ports/search-index.ts';
import type { Collections } from './collections.ts';
import type { AclDocument, RowDocument, StoredRow } from './documents.ts';
import { asStore } from './errors.ts';
import { inTransaction } from './transaction.ts';
import { isSeenOtherwise, rowKey } from './write/acl-rows.ts';
import { shownRef, toIndexArrays } from './write/index-arrays.ts';
import { materialiseRows } from './write/materialise.ts';
import type { Turns } from './write/turns.ts';

const STANDING = {
  type: 1,
  id: 1,
  version: 1,
  sort: 1,
  person: 1,
  subject: 1,
  patient: 1,
  level: 1,
  released: 1,
  ref: 1,
  dates: 1,
  definition: 1,
} as const;

type Standing = Pick<RowDocument, '_id' | keyof typeof STANDING>;

/** The adapter. */
export class MongoSearchIndex implements SearchIndex {
  readonly #collections: Collections;
  readonly #turns: Turns;

  /** `turns` are those of commits. */
  constructor(collections: Collections, turns: Turns) {
    this.#collections = collections;
    this.#turns = turns;
  }

  async want(definitions: readonly IndexDefinition[]): Promise<void> {
    const operations = definitions.map(({ type, version, parameters, sort }) => {
      const content = { parameters: JSON.stringify(parameters), sort };
      const update = { $set: { wanted: version, [`definitions.${version}`]: content } };
      return { updateOne: { filter: { _id: type }, update, upsert: true } };
    });
    await asStore(() => this.#collections.indexDefinitions.bulkWrite(operations));
  }

  async kept(): Promise<readonly KeptDefinition[]> {
    const documents = await asStore(() => this.#collections.indexDefinitions.find().toArray());
    return documents.flatMap(({ _id: type, wanted, definitions }) =>
      Object.entries(definitions).map(([version, { parameters, sort }]) => ({
        type,
        version: Number(version),
        parameters: JSON.parse(parameters) as IndexDefinition['parameters'],
        sort,
        isWanted: Number(version) === wanted,
      })),
    );
  }

  /** Mostly there is none, which one question tells. */
  async staleVersions(current: CurrentVersions): Promise<ReadonlyMap<StoredType, readonly number[]>> {
    const { standing } = this.#collections;
    const ofTypes = [...current].map(([type, versions]) => staleOf(type, versions));
    return await asStore(async () => {
      const found = new Map<StoredType, readonly number[]>();
      if ((await standing.findOne({ $or: ofTypes }, { projection: { _id: 1 } })) === null) return found;
      for (const [type, versions] of current) {
        const stale = await standing.distinct('definition', staleOf(type, versions));
        const isEarliest = !versions.includes(EARLIEST_VERSION) && (await this.#hasEarliest(type));
        const all = [...stale.flatMap((version) => version ?? []), ...(isEarliest ? [EARLIEST_VERSION] : [])];
        if (all.length > 0) found.set(type, all);
      }
      return found;
    });
  }

  async countStale(type: StoredType, current: readonly number[]): Promise<number> {
    return await asStore(() => this.#collections.standing.countDocuments(staleOf(type, current)));
  }

  async stale(
    grant: SystemGrant,
    type: StoredType,
    current: readonly number[],
    limit: number,
  ): Promise<readonly StaleRow[]> {
    requireBound(grant, 'whole');
    const projection = {
      _id: 0,
      type: 1,
      id: 1,
      version: 1,
      updated: 1,
      sort: 1,
      person: 1,
      json: 1,
      definition: 1,
    } as const;
    type Found = Omit<StaleRow, 'definition'> & Partial<Pick<StaleRow, 'definition'>>;
    const rows = await asStore(() =>
      this.#collections.standing.find(staleOf(type, current), { limit }).project<Found>(projection).toArray(),
    );
    return rows.map(({ definition = EARLIEST_VERSION, ...row }) => ({ ...row, definition }));
  }

  async reindex(rows: readonly ReindexedRow[]): Promise<number> {
    if (rows.length === 0) return 0;
    const collections = this.#collections;
    const keys = new Set<string>(rows.flatMap(({ type, id, person }) => [rowKey(type, id), person ?? []].flat()));
    const work = async (session: ClientSession): Promise<number> => await reindexRows(collections, rows, session);
    return await this.#turns.take(keys, async () => await inTransaction(collections, work, again));
  }

  async #hasEarliest(type: StoredType): Promise<boolean> {
    return (await this.#collections.standing.findOne({ type, definition: null }, { projection: { _id: 1 } })) !== null;
  }
}

/** Rows without a version are those of the earliest one. */
function staleOf(type: StoredType, current: readonly number[]): Filter<RowDocument> {
  return { type, definition: { $nin: current.includes(EARLIEST_VERSION) ? [...current, null] : [...current] } };
}

/** What was indexed anew is so when it is asked again. */
async function again(): Promise<undefined> {
  return undefined;
}

async function reindexRows(
  collections: Collections,
  rows: readonly ReindexedRow[],
  session: ClientSession,
): Promise<number> {
  const { rows: collection, standing, acl, persons } = collections;
  const keys = rows.map(({ type, id }) => rowKey(type, id));
  const projection = STANDING;
  const found = await standing.find<Standing>({ _id: { $in: keys } }, { session, projection }).toArray();
  const byKey = new Map(found.map((row) => [row._id, row]));
  const changes = rows.flatMap((row) => {
    const before = byKey.get(rowKey(row.type, row.id));
    return before?.version === row.version && before.definition !== row.index.definition ? [{ before, row }] : [];
  });
  if (changes.length === 0) return 0;
  const moved = changes.filter(({ before, row }) => before.sort !== row.sort);
  const seenOtherwise = changes.map(changeOf).filter(({ before, after }) => isSeenOtherwise(before, after));
  // Whoever gives access to the row meanwhile copies its former place: any two writes of a person conflict.
  const ofPersons = [...new Set([...moved, ...seenOtherwise].flatMap(({ before }) => before.person ?? []))];
  if (ofPersons.length > 0) await persons.updateMany({ _id: { $in: ofPersons } }, { $inc: { writes: 1 } }, { session });
  await collection.bulkWrite(
    changes.map(({ before, row }) => toOperation(before, row)),
    { session },
  );
  if (moved.length > 0)
    await acl.bulkWrite(
      moved.map(({ row }) => toMove(row)),
      { session },
    );
  if (seenOtherwise.length > 0) await materialiseRows(collections, seenOtherwise, session);
  return changes.length;
}

type Change = { readonly before: Standing; readonly row: ReindexedRow };

/** A row as it is seen before and after, at its new place: who sees it depends on what it is part of and its time. */
function changeOf({ before, row: { updated, sort, index } }: Change) {
  const { dates, ref } = toIndexArrays(index, updated);
  const placed = { ...before, sort };
  return { before: placed, after: { ...placed, dates, ...shownRef(ref, before) } };
}

function toOperation(
  before: Standing,
  { type, id, updated, sort, index }: ReindexedRow,
): AnyBulkWriteOperation<StoredRow> {
  const arrays = toIndexArrays(index, updated);
  const update = { $set: { ...arrays, ...shownRef(arrays.ref, before), sort, definition: index.definition } };
  return { updateOne: { filter: { _id: rowKey(type, id) }, update } };
}

function toMove({ type, id, sort }: ReindexedRow): AnyBulkWriteOperation<AclDocument> {
  return { updateMany: { filter: { item: rowKey(type, id) }, update: { $set: { sort } } } };
}
