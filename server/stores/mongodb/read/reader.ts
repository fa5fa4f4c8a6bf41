/** Reading under a grant, inside one transaction: which of some rows it shows, and by which right. */
import type { ClientSession, Filter } from 'mongodb';
import { isStoredType, VISIBILITY, type StoredType } from '../../../../profiles/types/visibility.ts';
import { UNBARRED } from '../../../access/decide.ts';
import type { AnyGrant } from '../../../access/grant.ts';
import { isNamedBefore, type ShowingRight } from '../../../access/right.ts';
import type { ShownBy, VisibleRow } from '../../../ports/record-store.ts';
import { openToPatient } from '../../granted.ts';
import { shownSubject, shownText } from '../../shown-patient.ts';
import { rowKey } from '../write/acl-rows.ts';
import type { Collections } from '../collections.ts';
import type { AclDocument, RowContent } from '../documents.ts';
import { barredRights } from './bars.ts';

/** Who reads, when, and in which transaction. */
export type Reader = {
  readonly collections: Collections;
  readonly session: ClientSession;
  readonly grant: AnyGrant;
  /** Epoch milliseconds: rights count at this time. */
  readonly now: number;
  /** Ids of the rights of the grant that show nothing, as their persons bar who reads. */
  readonly without: readonly string[];
  /** What it sees of identities that were looked up, by their keys (patient-view.ts). */
  readonly seen: { readonly known: Set<string>; readonly sees: Set<string>; readonly isSourceOf: Set<string> };
};

/**
 * Makes a reader, which is one of one transaction.
 * @throws {Fault} too-costly - so many bar who reads that a question would be too large
 */
export async function readerOf(reader: Omit<Reader, 'seen' | 'without'>): Promise<Reader> {
  const seen = { known: new Set<string>(), sees: new Set<string>(), isSourceOf: new Set<string>() };
  return { ...reader, seen, without: await barredRights(reader) };
}

/** What of a row says by which rights it is shown. */
export type RowName = Pick<RowContent, 'type' | 'id' | 'parent'>;

/** By which right a row is shown; `right` is undefined for the directory and the server itself. */
export type Shown = { readonly right: ShownBy | undefined };

const OPEN: Shown = { right: undefined };
const ITEMS_AT_ONCE = 1_000;

/** Those of some rows that the grant shows, by `Type/id`. */
export async function shownOf(reader: Reader, rows: readonly RowName[]): Promise<ReadonlyMap<string, Shown>> {
  const items = new Map(rows.map((row) => [rowKey(row.type, row.id), itemOf(row)]));
  const guarded = [...items.values()].filter((item) => item !== undefined && !isOpen(reader, item));
  const rights = await rightsOn(reader, [...new Set(guarded)] as string[]);
  const shown = new Map<string, Shown>();
  for (const [key, item] of items) {
    if (reader.grant.system || (item !== undefined && isOpen(reader, item))) shown.set(key, OPEN);
    else if (item !== undefined && rights.has(item)) shown.set(key, { right: rights.get(item) });
  }
  return shown;
}

/** The row that decides for a row: a part is seen as its parent, and not at all without one. */
function itemOf({ type, id, parent }: RowName): string | undefined {
  return VISIBILITY[type] === 'part' ? parent : rowKey(type, id);
}

function isOpen({ grant }: Reader, item: string): boolean {
  const type = item.slice(0, item.indexOf('/'));
  return grant.system || (isStoredType(type) && VISIBILITY[type] === 'directory');
}

async function rightsOn(reader: Reader, items: readonly string[]): Promise<ReadonlyMap<string, ShownBy>> {
  const best = new Map<string, AclDocument>();
  for (let at = 0; at < items.length; at += ITEMS_AT_ONCE) {
    const some = {
      item: { $in: items.slice(at, at + ITEMS_AT_ONCE) },
      principal: { $in: [...reader.grant.principals] },
    };
    const found = await reader.collections.acl
      .find({ ...some, ...accessUnder(reader) }, { session: reader.session })
      .toArray();
    for (const entry of found) best.set(entry.item, preferred(best.get(entry.item), entry));
  }
  return new Map([...best].map(([item, entry]) => [item, toShownBy(entry)]));
}

/** The condition that a right counts at a time. */
export function during(now: number): Filter<AclDocument> {
  return { from: { $lte: now }, to: { $gt: now } };
}

/** The condition that an access document shows its row to a reader who holds its principal. */
export function accessUnder({ grant, now, without }: Pick<Reader, 'grant' | 'now' | 'without'>): Filter<AclDocument> {
  const isOpen = without.length === 0 ? {} : { rightId: { $nin: [...without] } };
  const isOwn = grant.system || grant.barredBy !== 'everybody' ? {} : { relation: { $in: [...UNBARRED] } };
  return { ...during(now), ...isOpen, ...isOwn };
}

/** Of two rights on a row the one that is named in the audit. */
export function preferred(one: AclDocument | undefined, other: AclDocument): AclDocument {
  return one === undefined || isNamedBefore(named(other), named(one)) ? other : one;
}

function named({ rightId: id, relation }: AclDocument): Pick<ShowingRight, 'id' | 'relation'> {
  return { id, relation };
}

/** The right of an access document. */
export function toShownBy({ rightId, relation, source }: AclDocument): ShownBy {
  return { rightId, relation, source };
}

/** A row as the port gives it. */
export function toVisibleRow(grant: AnyGrant, row: RowContent, { right }: Shown): VisibleRow {
  const { type, id, version, updated, sort, released, person, blob } = row;
  const json = shownText(grant, row.json, row);
  return {
    type,
    id,
    version,
    updated,
    sort,
    json,
    released,
    ...openToPatient(type, row),
    person,
    ...shownSubject(grant, row),
    blob,
    shownBy: right,
  };
}

/** What a visible row is made of. */
export const ROW_PROJECTION = { tok: 0, filedRef: 0, dates: 0, str: 0, tri: 0 } as const;

/** Reads standing rows by `Type/id`, those that the grant shows. */
export async function readVisible(reader: Reader, keys: readonly string[]): Promise<readonly VisibleRow[]> {
  if (keys.length === 0) return [];
  const found = await reader.collections.standing
    .find(
      { _id: { $in: [...keys] }, gone: { $exists: false } },
      { session: reader.session, projection: ROW_PROJECTION },
    )
    .toArray();
  const shown = await shownOf(reader, found);
  return found.flatMap((row) => {
    const by = shown.get(row._id);
    return by === undefined ? [] : [toVisibleRow(reader.grant, row, by)];
  });
}

/** The type and id of a reference; undefined when it names no row that is stored here. */
export function parseKey(reference: string): { readonly type: StoredType; readonly id: string } | undefined {
  const [type = '', id = '', ...rest] = reference.split('/');
  return isStoredType(type) && id !== '' && rest.length === 0 ? { type, id } : undefined;
}
