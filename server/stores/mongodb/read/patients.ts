/** Patients as a requester sees them, and the identifiers by which it may find them. */
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import {
  bears,
  identifierAsked,
  identitiesToLookUp,
  isShownPatient,
  ITEM_TYPES,
  patientAsSeen,
  wholeValues,
  type SeenIdentities,
} from '../../patient-view.ts';
import { rowKey } from '../write/acl-rows.ts';
import { tokenKey } from '../write/index-arrays.ts';
import { readVisible, shownOf, type Reader } from './reader.ts';

/** Rows of an answer, each Patient among them as its reader sees it. */
export async function rowsAsSeen<Row extends VisibleRow>(
  reader: Reader,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  if (!rows.some((row) => isShownPatient(reader.grant, row))) return rows;
  const seen: Row[] = [];
  for (const row of rows) seen.push(await rowAsSeen(reader, row));
  return seen;
}

/** One row. */
export async function rowAsSeen<Row extends VisibleRow>(reader: Reader, row: Row): Promise<Row> {
  if (!isShownPatient(reader.grant, row)) return row;
  const ids = identitiesToLookUp(row);
  return patientAsSeen(row, ids.length === 0 ? NOTHING : await seenIdentities(reader, row.person ?? '', ids));
}

const NOTHING: SeenIdentities = { sees: new Set(), isSourceOf: new Set() };

async function seenIdentities(reader: Reader, person: string, ids: readonly string[]): Promise<SeenIdentities> {
  const sources = await shownOf(
    reader,
    ids.map((id) => ({ type: 'Person', id, parent: undefined })),
  );
  const sees = new Set<string>();
  for (const id of ids) if (await seesItemOf(reader, person, id)) sees.add(id);
  return { sees, isSourceOf: new Set(ids.filter((id) => sources.has(rowKey('Person', id)))) };
}

/** Rows that are looked at together. */
const AT_ONCE = 1_000;

async function seesItemOf(reader: Reader, person: string, id: string): Promise<boolean> {
  const { collections, session } = reader;
  const filed = { person, subject: `Patient/${id}`, type: { $in: [...ITEM_TYPES] } };
  const projection = { type: 1, id: 1, parent: 1 } as const;
  let some: { type: StoredType; id: string; parent?: string | undefined }[] = [];
  for await (const row of collections.standing.find(filed as object, { session, projection })) {
    some.push(row);
    if (some.length < AT_ONCE) continue;
    if ((await shownOf(reader, some)).size > 0) return true;
    some = [];
  }
  return some.length > 0 && (await shownOf(reader, some)).size > 0;
}

/** Most identities that identifiers are looked for among. */
const MANY = 100;

/**
 * A criterion on identifiers of Patients under a grant: those that everybody may know are in the index of Patients, the
 * others are found by the identities that say them, as far as the Patient shows them. Answers the ids of such Patients.
 */
export async function patientsBearing(
  reader: Reader,
  type: StoredType,
  criterion: Criterion,
): Promise<readonly string[]> {
  const asked = reader.grant.system ? undefined : identifierAsked(type, criterion);
  const values = asked === undefined ? [] : wholeValues(asked);
  if (values.length === 0) return [];
  const keys = values.map(({ system, code }) => tokenKey('identifier', system, code));
  const { collections, session } = reader;
  const projection = { id: 1, patient: 1 } as const;
  const identities = await collections.standing
    .find({ type: 'Person', tok: { $in: keys } }, { session, projection })
    .limit(MANY)
    .toArray();
  const patients = new Set(identities.map(({ id, patient }) => patient ?? `Patient/${id}`));
  const shown = await rowsAsSeen(reader, await readVisible(reader, [...patients]));
  return shown.filter(({ json }) => bears(json, values)).map(({ id }) => id);
}
