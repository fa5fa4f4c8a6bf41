/** What a plan makes of its rows: staged in memory from the standing documents, then written in one go. */
import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import { encodeLabel } from '../../../../profiles/confidentiality.ts';
import { originAfter, type Origin } from '../../../access/rights-of.ts';
import type { Principal } from '../../../access/right.ts';
import type { CommitPlan, Put } from '../../../ports/commit-plan.ts';
import { isRowCondition, requireRowCondition, type RowCondition } from '../../refused.ts';
import { stamped, unstamped, type StampedText } from '../../stamp.ts';
import { rowKey } from './acl-rows.ts';
import type { Collections } from '../collections.ts';
import type { HistoryDocument, RowContent, RowDocument, StoredRow } from '../documents.ts';
import { toDeletion, withoutReaders } from './deletions.ts';
import type { Moved } from './move.ts';
import { shownRef, toIndexArrays } from './index-arrays.ts';

/** One row before and after a plan; both sides are undefined or a tombstone where no row stands. */
export type RowChange = { readonly before: StoredRow | undefined; readonly after: StoredRow };

/** The staged rows of a plan. */
export type StagedRows = {
  /** By `Type/id`. */
  readonly changes: ReadonlyMap<string, RowChange>;
  readonly history: readonly HistoryDocument[];
  /** What was put and deleted, in order: a row that is named more than once comes as often. */
  readonly written: readonly StoredRow[];
  /** Version of each put, in the plan's order. */
  readonly versions: readonly number[];
};

/** The conditions of a plan that are about rows; others are claims.ts and matches.ts. */
export function rowConditionsOf({ preconditions = [] }: CommitPlan): readonly RowCondition[] {
  return preconditions.filter(isRowCondition);
}

/** The documents under all rows that a plan names, tombstones included, by `Type/id`. */
export async function readStanding(
  { rows }: Collections,
  plan: CommitPlan,
  session: ClientSession,
): Promise<Map<string, StoredRow>> {
  const named = [...(plan.puts ?? []), ...(plan.deletes ?? []), ...rowConditionsOf(plan)];
  const keys = [...new Set(named.map(({ type, id }) => rowKey(type, id)))];
  if (keys.length === 0) return new Map();
  const found = await rows.find({ _id: { $in: keys } }, { session, batchSize: keys.length + 1 }).toArray();
  return new Map(found.map((row) => [row._id, row]));
}

/** The row of a document; undefined for a tombstone. */
export function standingRow(row: StoredRow | undefined): RowDocument | undefined {
  return row === undefined || row.gone === true ? undefined : row;
}

/**
 * Checks preconditions.
 * @throws {Fault} version-conflict, conflict - one does not hold
 */
export function requireConditions(conditions: readonly RowCondition[], standing: ReadonlyMap<string, StoredRow>): void {
  for (const condition of conditions) {
    const row = standing.get(rowKey(condition.type, condition.id));
    requireRowCondition(condition, standingRow(row)?.version, () => (row?.gone === true ? row.version : 0));
  }
}

/** A plan whose rows are texts already, in the order of its puts. */
export type TextedPlan = CommitPlan & { readonly texts: readonly StampedText[] };

/**
 * Makes texts of the rows of a plan.
 * @throws {Fault} too-long - no store could keep one
 */
export function textedPlan(plan: CommitPlan): TextedPlan {
  return { ...plan, texts: (plan.puts ?? []).map(({ resource, id }) => unstamped(resource, id)) };
}

/** What rows are staged with: see {@link stageRows}. */
export type StagedWith = {
  readonly readers: ReadonlyMap<string, readonly Principal[]>;
  readonly shown: ReadonlyMap<string, string>;
  /** Epoch milliseconds. */
  readonly now: number;
};

/**
 * Stages deletes, then puts; a row may be named more than once. `readers` are those who see the deleted rows, `shown`
 * the Patients that are shown in place of the identities that rows are filed under.
 */
export function stageRows(
  plan: TextedPlan,
  standing: ReadonlyMap<string, StoredRow>,
  { readers, shown, now }: StagedWith,
): StagedRows {
  const after = new Map<string, StoredRow>();
  const history: HistoryDocument[] = [];
  const written: StoredRow[] = [];
  const present = (key: string): StoredRow | undefined => after.get(key) ?? standing.get(key);
  const retire = (key: string): void => {
    const row = standingRow(present(key));
    if (row !== undefined) history.push(toHistory(row));
  };
  const write = (row: StoredRow): void => {
    after.set(row._id, row);
    written.push(row);
  };
  for (const { type, id } of plan.deletes ?? []) {
    const key = rowKey(type, id);
    const row = standingRow(present(key));
    if (row === undefined) continue;
    retire(key);
    const { tombstone, deletion } = toDeletion(row, readers.get(key) ?? [], now);
    history.push(deletion);
    write(tombstone);
  }
  const versions = (plan.puts ?? []).map((put, at) => {
    const key = rowKey(put.type, put.id);
    const version = (present(key)?.version ?? 0) + 1;
    retire(key);
    const text = plan.texts[at] ?? unstamped(put.resource, put.id);
    const origin = originAfter(put, standingRow(present(key))?.origin);
    const patient = shown.get(put.subject ?? '');
    write(toRow({ ...put, origin, patient }, stamped(text, version, now), version, now));
    return version;
  });
  const changes = new Map([...after].map(([key, row]) => [key, { before: standing.get(key), after: row }]));
  const stands = ({ type, id }: HistoryDocument): boolean => standingRow(present(rowKey(type, id))) !== undefined;
  return { changes, history: history.map((one) => (stands(one) ? withoutReaders(one) : one)), written, versions };
}

function toHistory(row: RowDocument): HistoryDocument {
  const { type, id, version, updated, sort, json, person, subject, patient, level, released, parent, blob } = row;
  const content: RowContent = {
    type,
    id,
    version,
    updated,
    sort,
    json,
    person,
    subject,
    patient,
    level,
    released,
    parent,
    blob,
  };
  return { _id: `${row._id}/${version}`, ...content };
}

function toRow(put: PutFrom, json: string, version: number, now: number): RowDocument {
  const { type, id, sort, person, subject, patient, released, parent, blob, origin } = put;
  const index = toIndexArrays(put.index, now);
  return {
    _id: rowKey(type, id),
    type,
    id,
    version,
    updated: now,
    sort,
    json,
    person,
    subject,
    patient,
    level: encodeLabel(put),
    released,
    parent,
    blob,
    origin,
    definition: put.index.definition,
    ...index,
    ...shownRef(index.ref, { subject, patient }),
  };
}

type PutFrom = Omit<Put, 'origin'> & { readonly origin: Origin | undefined; readonly patient: string | undefined };

/** Changes with those of rows that moved, which are written already: what follows sees a row as it was before all. */
export function withMoved(changes: StagedRows['changes'], moved: Moved): StagedRows['changes'] {
  if (moved.rows.size === 0) return changes;
  const all = new Map<string, RowChange>(moved.rows);
  for (const [key, { before, after }] of changes)
    all.set(key, { before: moved.rows.get(key)?.before ?? before, after });
  return all;
}

/** Writes staged rows, and touches those that a precondition only read: whoever changes one of them conflicts. */
export async function writeRows(
  { rows, history }: Collections,
  staged: StagedRows,
  conditions: readonly RowCondition[],
  standing: ReadonlyMap<string, StoredRow>,
  session: ClientSession,
): Promise<void> {
  const read = new Set(conditions.map(({ type, id }) => rowKey(type, id)).filter((key) => !staged.changes.has(key)));
  const operations = [
    ...[...staged.changes.values()].map(toOperation),
    ...[...read].map((key) => toTouch(key, standing)),
  ];
  if (operations.length > 0) await rows.bulkWrite(operations, { session });
  if (staged.history.length > 0) await history.insertMany([...staged.history], { session });
}

function toOperation({ before, after }: RowChange): AnyBulkWriteOperation<StoredRow> {
  if (before === undefined) return { insertOne: { document: after } };
  return { replaceOne: { filter: { _id: after._id }, replacement: after } };
}

function toTouch(key: string, standing: ReadonlyMap<string, StoredRow>): AnyBulkWriteOperation<StoredRow> {
  if (standing.has(key)) return { updateOne: { filter: { _id: key }, update: { $inc: { touches: 1 } } } };
  return { insertOne: { document: { _id: key, gone: true, version: 0 } } };
}
