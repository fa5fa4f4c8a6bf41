/** Visible rows of a type in order, as far as somebody asks for them: from the access collection or from the rows. */
import type { Filter, FindOptions } from 'mongodb';
import { compareInList, type ListPlace } from '../../../../profiles/search/order.ts';
import type { SortSpan } from '../../../../profiles/search/query.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { Principal } from '../../../access/right.ts';
import { rowKey } from '../write/acl-rows.ts';
import type { RowFilter } from './criteria.ts';
import type { AclDocument, RowDocument } from '../documents.ts';
import { accessUnder, preferred, shownOf, toShownBy, type Reader, type RowName, type Shown } from './reader.ts';

/** A place in the order of a type, and by which right its row is shown. */
export type Listed = ListPlace & { readonly key: string; readonly shown: Shown };

/** Rows in order, as they are asked for. */
export type Listing = AsyncIterable<Listed>;

/** How much is read first, and whether the rows are only counted: then nobody asks by which right they are shown. */
export type Pace = { readonly first: number; readonly isCount: boolean };

/** The most that is read at once. */
export const LARGEST_BATCH = 1_000;

function nextBatch(size: number): number {
  return Math.min(LARGEST_BATCH, size * 4);
}

/** The condition of rows that follow a place: by sort descending, then id, or the other way round. */
export function following(
  after: ListPlace | undefined,
  isReversed: boolean,
): {
  $or?: [{ sort: { $lt?: number; $gt?: number } }, { sort: number; id: { $lt?: string; $gt?: string } }];
} {
  if (after === undefined) return {};
  const { sort, id } = after;
  return isReversed
    ? { $or: [{ sort: { $gt: sort } }, { sort, id: { $lt: id } }] }
    : { $or: [{ sort: { $lt: sort } }, { sort, id: { $gt: id } }] };
}

/** The order of lists, latest first, or its reverse. */
export function listOrder(isReversed: boolean): { readonly sort: 1 | -1; readonly id: 1 | -1 } {
  return isReversed ? { sort: 1, id: -1 } : { sort: -1, id: 1 };
}

/** The conditions that rows lie in a span. */
export function spanFilters({ from, before }: SortSpan = WHOLE): { sort: { $gte?: number; $lt?: number } }[] {
  return [
    ...(from === undefined ? [] : [{ sort: { $gte: from } }]),
    ...(before === undefined ? [] : [{ sort: { $lt: before } }]),
  ];
}

const WHOLE: SortSpan = { from: undefined, before: undefined };

/** Which part of a list: what follows a place, in a span, latest first or the other way round. */
export type ListPart = {
  readonly after: ListPlace | undefined;
  readonly span: SortSpan | undefined;
  readonly isReversed: boolean;
};

/** Lists what the grant's principals see of a type, each row once: an ordered merge of one list for each principal. */
export async function* listFromAcl(reader: Reader, type: StoredType, where: ListPart, pace: Pace): Listing {
  const lists = reader.grant.principals.map((principal) => createPrincipalList(reader, type, principal, where, pace));
  for (;;) {
    const heads: AclDocument[] = [];
    for (const list of lists) {
      const head = await list.peek();
      if (head !== undefined) heads.push(head);
    }
    const [first] = heads.sort((a, b) => compareInList(a, b, where.isReversed));
    if (first === undefined) return;
    let best = first;
    for (const list of lists) for (const entry of await list.takeRow(first.id)) best = preferred(best, entry);
    yield { sort: first.sort, id: first.id, key: rowKey(type, first.id), shown: { right: toShownBy(best) } };
  }
}

type PrincipalList = {
  /** The next document, or undefined at the end. */
  peek(): Promise<AclDocument | undefined>;
  /** Takes the documents of a row that come next; a row may have several, one a right. */
  takeRow(id: string): Promise<readonly AclDocument[]>;
};

/** Reads one principal's list in batches that grow; no cursor stays open. */
function createPrincipalList(
  reader: Reader,
  type: StoredType,
  principal: Principal,
  { after, span, isReversed }: ListPart,
  { first, isCount }: Pace,
): PrincipalList {
  let buffer: AclDocument[] = [];
  let at = 0;
  let end = after;
  let size = Math.min(LARGEST_BATCH, first);
  let isOver = false;
  // A count reads nothing but the index.
  const columns = isCount ? { projection: { _id: 0, sort: 1, id: 1 } } : {};

  async function fill(): Promise<void> {
    const found = await reader.collections.acl
      .find(
        { $and: [{ principal, type, ...accessUnder(reader), ...following(end, isReversed) }, ...spanFilters(span)] },
        { session: reader.session, batchSize: size + 1, ...columns },
      )
      .sort(listOrder(isReversed))
      .limit(size)
      .toArray();
    isOver = found.length < size;
    // The last row may have further documents, which the next batch would skip: it is left to that batch.
    const last = found.at(-1);
    const whole = isOver ? found : found.filter(({ id }) => id !== last?.id);
    size = nextBatch(size);
    if (whole.length === 0) return isOver ? undefined : await fill();
    buffer = whole;
    at = 0;
    end = whole.at(-1);
  }

  async function peek(): Promise<AclDocument | undefined> {
    if (at >= buffer.length && !isOver) await fill();
    return buffer[at];
  }

  return {
    peek,
    async takeRow(id) {
      const taken: AclDocument[] = [];
      for (let head = await peek(); head?.id === id; head = await peek()) {
        taken.push(head);
        at += 1;
      }
      return taken;
    },
  };
}

/** Keeps of a listing the rows that satisfy a filter. */
export async function* matching(reader: Reader, listing: Listing, filter: RowFilter, { first }: Pace): Listing {
  for await (const batch of inBatches(listing, first)) {
    const condition = { $and: [{ _id: { $in: batch.map(({ key }) => key) } }, filter] } as Filter<RowDocument>;
    const found = await findRows(reader, condition, { projection: { _id: 1 } });
    const keys = new Set(found.map(({ _id }) => _id));
    yield* batch.filter(({ key }) => keys.has(key));
  }
}

/** A listing in batches that grow. */
export async function* inBatches(listing: Listing, first: number): AsyncIterable<readonly Listed[]> {
  let batch: Listed[] = [];
  let size = first;
  for await (const listed of listing) {
    batch.push(listed);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
    size = nextBatch(size);
  }
  if (batch.length > 0) yield batch;
}

async function findRows(
  { collections, session }: Reader,
  filter: Filter<RowDocument>,
  options: FindOptions,
): Promise<readonly RowDocument[]> {
  return await collections.standing.find(filter, { ...options, session }).toArray();
}

/** What a listing needs of a row. */
type Candidate = RowName & ListPlace & { readonly _id: string };

const CANDIDATE = { type: 1, id: 1, sort: 1, parent: 1 } as const;

/** Lists the rows of a type that satisfy a filter and that the grant shows. */
export async function* listFromRows(
  reader: Reader,
  type: StoredType,
  filter: RowFilter,
  { after, isReversed }: Omit<ListPart, 'span'>,
  { first }: Pace,
): Listing {
  let end = after;
  for (let size = first; ; size = nextBatch(size)) {
    const condition = { $and: [{ type }, filter, following(end, isReversed)] } as Filter<RowDocument>;
    const options = { projection: CANDIDATE, sort: listOrder(isReversed), limit: size, batchSize: size + 1 } as const;
    const candidates = await findRows(reader, condition, options);
    yield* await visibleOf(reader, candidates);
    if (candidates.length < size) return;
    end = candidates.at(-1);
  }
}

/** All rows of a type that satisfy a filter and that the grant shows, latest first, when at most `limit` satisfy it. */
export async function listFew(
  reader: Reader,
  type: StoredType,
  filter: RowFilter,
  limit: number,
): Promise<readonly Listed[] | undefined> {
  const condition = { $and: [{ type }, filter] } as Filter<RowDocument>;
  const candidates = await findRows(reader, condition, {
    projection: CANDIDATE,
    limit: limit + 1,
    batchSize: limit + 2,
  });
  if (candidates.length > limit) return undefined;
  return (await visibleOf(reader, candidates)).sort((a, b) => compareInList(a, b));
}

async function visibleOf(reader: Reader, candidates: readonly Candidate[]): Promise<Listed[]> {
  const shown = await shownOf(reader, candidates);
  return candidates.flatMap(({ _id, sort, id }) => {
    const by = shown.get(_id);
    return by === undefined ? [] : [{ sort, id, key: _id, shown: by }];
  });
}
