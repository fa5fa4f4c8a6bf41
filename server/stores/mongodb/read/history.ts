/** Former versions of rows, and what is left of deleted ones. */
import { decodeLabel } from '../../../../profiles/confidentiality.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { VISIBILITY, type StoredType } from '../../../../profiles/types/visibility.ts';
import { decide, OPEN_STATE } from '../../../access/decide.ts';
import { consentOf } from '../../../access/right.ts';
import {
  MAX_HISTORY_ROWS,
  type HistoryPage,
  type InternalRow,
  type Question,
  type RowVersion,
  type VersionPlace,
} from '../../../ports/record-store.ts';
import type { PersonKey } from '../../../access/requester.ts';
import type { Collections } from '../collections.ts';
import type { HistoryDocument } from '../documents.ts';
import { fromRightDocument, rightsTo, rowKey, toState } from '../write/acl-rows.ts';
import { latestFirst } from '../../patient-versions.ts';
import { shownText, whoseOf } from '../../shown-patient.ts';
import { accessUnder, readVisible, toVisibleRow, type Reader } from './reader.ts';

type HistoryQuestion = Extract<Question, { kind: 'history' }>;

const ROWS_AT_ONCE = 1_000;
const BLIND = { json: 0 } as const;

/** The deleted rows of a person: those that stand again tell nobody of their deletion any more. */
export async function deletedOf(
  { history }: Collections,
  person: PersonKey,
): Promise<readonly Pick<InternalRow, 'type' | 'id' | 'subject'>[]> {
  const found = await history
    .find({ person, isDeletion: true, readers: { $exists: true } }, { projection: { type: 1, id: 1, subject: 1 } })
    .sort({ type: 1, id: 1 })
    .toArray();
  return found.map(({ type, id, subject }) => ({ type, id, subject: subject ?? undefined }));
}

/** A row by its id, or one of its versions; AuditEvents are kept elsewhere. */
export async function rowOrVersion(
  reader: Reader,
  { type, id, version, orDeleted }: Extract<Question, { kind: 'resource' }>,
): Promise<RowVersion | undefined> {
  const key = rowKey(type, id);
  const [present] = await readVisible(reader, [key]);
  if (present !== undefined && (version === undefined || present.version === version)) return present;
  const deletion = present === undefined && orDeleted === true ? await deletionOf(reader, key) : undefined;
  if (deletion !== undefined && (version === undefined || version === deletion.version)) return deletion;
  const anchor = present ?? deletion;
  if (version === undefined || (anchor === undefined && !reader.grant.system)) return undefined;
  const former = await reader.collections.history.findOne({ _id: `${key}/${version}` }, { session: reader.session });
  if (former === null || (former.isDeletion === true && orDeleted !== true)) return undefined;
  return toVersion(reader, former, anchor);
}

/** What every version says of the row, beside its text, is what the row says now; without a row it is nothing. */
function toVersion(
  { grant }: Reader,
  { type, id, updated, ...former }: HistoryDocument,
  anchor: RowVersion | undefined,
): RowVersion {
  const whole = anchor ?? { ...UNPLACED, sort: updated };
  const { sort, released, shownBy } = whole;
  const { version, blob = undefined } = former;
  const json = shownText(grant, former.json, former);
  const row = { type, id, version, updated, sort, json, ...whoseOf(whole), blob, released, shownBy };
  return former.isDeletion === true ? { ...row, isDeletion: true } : row;
}

const UNPLACED = {
  person: undefined,
  subject: undefined,
  released: false,
  shownBy: undefined,
} as const;

/** The deletion of a row by `Type/id`, when the grant may know of it. */
async function deletionOf(reader: Reader, key: string): Promise<RowVersion | undefined> {
  const { collections, session, grant } = reader;
  const gone = await collections.rows.findOne({ _id: key, gone: true }, { session });
  if (gone === null) return undefined;
  const deletion = await collections.history.findOne({ _id: `${key}/${gone.version}` }, { session });
  if (deletion?.isDeletion !== true) return undefined;
  const { readers = [] } = deletion;
  const wasSeen = isOpen(reader, deletion.type) || readers.some((name) => grant.principals.includes(name));
  return wasSeen ? await shownDeletion(reader, deletion) : undefined;
}

/** The deletion of a row, when what holds now would still show the row. */
async function shownDeletion(reader: Reader, deletion: HistoryDocument): Promise<RowVersion | undefined> {
  const { rights, persons } = reader.collections;
  const { session, grant } = reader;
  const { type, id, person, level, released } = deletion;
  // Of what it was part of nothing is kept.
  const facts = { type, item: rowKey(type, id), exams: [], dates: [], released, ...decodeLabel(level) };
  const held =
    person === undefined || person === null
      ? []
      : await rights.find(rightsTo(person, facts.item), { session }).toArray();
  const state = person === undefined || person === null ? null : await persons.findOne({ _id: person }, { session });
  const decision = decide(grant, facts, held.map(fromRightDocument), state === null ? OPEN_STATE : toState(state));
  if (!decision.permitted) return undefined;
  const { right } = decision;
  const shownBy = right && { rightId: right.id, relation: right.relation, source: consentOf(right) };
  // Lists of deletions are read without the text, of which a deletion has none.
  const { isOpenToPatient: _, ...row } = toVisibleRow(grant, { ...deletion, json: '' }, { right: shownBy });
  return { ...row, isDeletion: true };
}

function isOpen({ grant }: Reader, type: StoredType): boolean {
  return grant.system || VISIBILITY[type] === 'directory';
}

/** Answers the versions of one row, or of the visible rows of a type. */
export async function readHistory(reader: Reader, question: HistoryQuestion): Promise<HistoryPage> {
  const { type, id, limit } = question;
  if (VISIBILITY[type] === 'part' || type === 'AuditEvent') return { rows: [], next: undefined };
  const ids = id === undefined ? await shownIds(reader, type) : [id];
  const places = await versionsOf(reader, question, ids);
  const page = places.slice(0, limit);
  const anchors = await anchorsOf(reader, type, [...new Set(page.map((place) => place.id))]);
  const rows: RowVersion[] = [];
  for (const place of page) {
    const anchor = anchors.get(place.id);
    if (anchor?.version === place.version) rows.push(anchor);
    else if (anchor !== undefined) rows.push(...(await formerOf(reader, anchor, place.version)));
  }
  return { rows, next: places.length > limit && rows.length > 0 ? page.at(-1) : undefined };
}

async function formerOf(reader: Reader, anchor: RowVersion, version: number): Promise<RowVersion[]> {
  const { collections, session } = reader;
  const key = `${rowKey(anchor.type, anchor.id)}/${version}`;
  const former = await collections.history.findOne({ _id: key }, { session });
  return former === null ? [] : [toVersion(reader, former, anchor)];
}

async function anchorsOf(
  reader: Reader,
  type: StoredType,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RowVersion>> {
  const keys = ids.map((id) => rowKey(type, id));
  const anchors = new Map<string, RowVersion>((await readVisible(reader, keys)).map((row) => [row.id, row]));
  for (const id of ids) {
    const deletion = anchors.has(id) ? undefined : await deletionOf(reader, rowKey(type, id));
    if (deletion !== undefined) anchors.set(id, deletion);
  }
  return anchors;
}

/** Ids of the rows of a type that are shown, deleted ones included. */
async function shownIds(reader: Reader, type: StoredType): Promise<readonly string[]> {
  const most = MAX_HISTORY_ROWS + 1;
  const present = isOpen(reader, type) ? await allIds(reader, type, most) : await seenIds(reader, type, most);
  const gone = isOpen(reader, type) ? await allGone(reader, type, most) : await seenGone(reader, type, most);
  if (present.length + gone.length >= most)
    throw new Fault('too-costly', `The history of more than ${MAX_HISTORY_ROWS} resources is asked for one by one`);
  const shown: string[] = [];
  for (const deletion of gone) if ((await shownDeletion(reader, deletion)) !== undefined) shown.push(deletion.id);
  return [...present, ...shown];
}

async function allIds({ collections, session }: Reader, type: StoredType, most: number): Promise<string[]> {
  const options = { session, projection: { id: 1 } } as const;
  const found = await collections.standing.find({ type }, options).limit(most).toArray();
  return found.map(({ id }) => id);
}

async function seenIds(reader: Reader, type: StoredType, most: number): Promise<string[]> {
  const { collections, session, grant } = reader;
  const seen = { principal: { $in: [...grant.principals] }, type, ...accessUnder(reader) };
  const stages = [{ $match: seen }, { $group: { _id: '$id' } }, { $limit: most }];
  const found = await collections.acl.aggregate<{ _id: string }>(stages, { session }).toArray();
  return found.map(({ _id }) => _id);
}

/** Tombstones say their type by their key alone: `0` follows `/`. */
async function allGone({ collections, session }: Reader, type: StoredType, most: number): Promise<HistoryDocument[]> {
  const ofType = { _id: { $gte: `${type}/`, $lt: `${type}0` }, gone: true } as const;
  const gone = await collections.rows.find(ofType, { session }).limit(most).toArray();
  const keys = gone.map(({ _id, version }) => `${_id}/${version}`);
  return await collections.history
    .find({ _id: { $in: keys }, isDeletion: true }, { session, projection: BLIND })
    .toArray();
}

async function seenGone(
  { collections, session, grant }: Reader,
  type: StoredType,
  most: number,
): Promise<HistoryDocument[]> {
  const seen = { readers: { $in: [...grant.principals] }, type };
  return await collections.history.find(seen, { session, projection: BLIND }).limit(most).toArray();
}

/** The places of the versions of some rows, latest first, one more than the page holds. */
async function versionsOf(
  { collections, session }: Reader,
  { type, since, after, limit }: HistoryQuestion,
  ids: readonly string[],
): Promise<VersionPlace[]> {
  const options = { session, projection: { _id: 0, updated: 1, id: 1, version: 1 } } as const;
  const order = { updated: -1, id: 1, version: -1 } as const;
  const places: VersionPlace[] = [];
  for (let at = 0; at < ids.length; at += ROWS_AT_ONCE) {
    const filter = { type, id: { $in: ids.slice(at, at + ROWS_AT_ONCE) }, ...within(since, after) };
    const some = [
      ...(await collections.standing
        .find<VersionPlace>(filter, options)
        .sort(order)
        .limit(limit + 1)
        .toArray()),
      ...(await collections.history
        .find<VersionPlace>(filter, options)
        .sort(order)
        .limit(limit + 1)
        .toArray()),
    ];
    places.push(...some);
  }
  return places.toSorted(latestFirst).slice(0, limit + 1);
}

function within(since: number | undefined, after: VersionPlace | undefined) {
  return {
    ...(since === undefined ? {} : { updated: { $gte: since } }),
    ...(after === undefined ? {} : { $or: behind(after) }),
  };
}

function behind({ updated, id, version }: VersionPlace) {
  return [{ updated: { $lt: updated } }, { updated, id: { $gt: id } }, { updated, id, version: { $lt: version } }];
}
