/** Deletes: what is kept of a row as its last version, a deletion, and who may know of it. */
import type { ClientSession } from 'mongodb';
import { principal, type Principal } from '../../../access/right.ts';
import type { CommitPlan } from '../../../ports/commit-plan.ts';
import type { Collections } from '../collections.ts';
import type { HistoryDocument, RowDocument, StoredRow, Tombstone } from '../documents.ts';
import { rowKey } from './acl-rows.ts';
import type { Moved } from './move.ts';

/** Principals, by `Type/id` of the rows that they see. */
export type ReadersByRow = ReadonlyMap<string, readonly Principal[]>;

/** The principals that see each row which a plan deletes, by `Type/id`, before it. */
export async function readersOf(
  { acl }: Collections,
  { deletes = [] }: CommitPlan,
  session: ClientSession,
): Promise<ReadersByRow> {
  const items = deletes.map(({ type, id }) => rowKey(type, id));
  if (items.length === 0) return new Map();
  const projection = { item: 1, principal: 1 } as const;
  const found = await acl.find({ item: { $in: items } }, { session, projection }).toArray();
  const byItem = Map.groupBy(found, ({ item }) => item);
  return new Map([...byItem].map(([item, rows]) => [item, [...new Set(rows.map((row) => row.principal))]]));
}

/** The same after rows have moved: the patient who saw one is the person that it is of. */
export function movedReaders(readers: ReadersByRow, { steps }: Pick<Moved, 'steps'>): ReadersByRow {
  if (readers.size === 0 || steps.length === 0) return readers;
  const moved = new Map(readers);
  for (const { key, from, to } of steps) {
    const present = moved
      .get(key)
      ?.map((reader) => (reader === principal.patient(from) ? principal.patient(to) : reader));
    if (present !== undefined) moved.set(key, present);
  }
  return moved;
}

/** What is left of a row, and the version that tells of its deletion: without text and bytes. */
export function toDeletion(
  row: RowDocument,
  readers: readonly Principal[],
  now: number,
): { readonly tombstone: Tombstone; readonly deletion: HistoryDocument } {
  const { _id, type, id, sort, person, subject, patient, level, released } = row;
  const version = row.version + 1;
  const content = { type, id, version, updated: now, sort, json: '', person, subject, patient, level, released };
  return {
    tombstone: { _id, gone: true, version },
    deletion: { _id: `${_id}/${version}`, ...content, isDeletion: true, readers },
  };
}

/** A former version of a row that stands: who saw its deletion counts no more. */
export function withoutReaders({ readers: _readers, ...version }: HistoryDocument): HistoryDocument {
  return version;
}

/** Rows that stand again are found as such, and no more by those who saw them once. */
export async function forgetReaders(
  { history }: Collections,
  changes: readonly { readonly before: StoredRow | undefined; readonly after: StoredRow }[],
  session: ClientSession,
): Promise<void> {
  const again = changes.flatMap(({ before, after }) =>
    before?.gone === true && after.gone !== true && before.version > 0 ? [`${before._id}/${before.version}`] : [],
  );
  if (again.length > 0) await history.updateMany({ _id: { $in: again } }, { $unset: { readers: 1 } }, { session });
}
