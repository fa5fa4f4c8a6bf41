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
import type { RowContent } from '../documents.ts';
import { readVisible, shownOf, type Reader, type RowName } from './reader.ts';

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

const PATIENT = 'Patient/';
/** Rows that are looked at together. */
const AT_ONCE = 1_000;

type Named = RowName & Pick<RowContent, 'subject'>;

/** Looks at the identities themselves first, and at what is filed under them until each is seen. */
async function seenIdentities(reader: Reader, person: string, ids: readonly string[]): Promise<SeenIdentities> {
  const [sees, isSourceOf] = [new Set<string>(), new Set<string>()];
  let some: Named[] = ids.map((id) => ({ type: 'Person', id, subject: `${PATIENT}${id}` }));
  for await (const row of filedUnder(reader, person, ids)) {
    some.push(row);
    if (some.length < AT_ONCE) continue;
    await look(some);
    if (sees.size === ids.length) return { sees, isSourceOf };
    some = [];
  }
  await look(some);
  return { sees, isSourceOf };

  async function look(rows: readonly Named[]): Promise<void> {
    const shown = await shownOf(reader, rows);
    for (const { type, id, subject = '' } of rows)
      if (shown.has(rowKey(type, id))) (type === 'Person' ? isSourceOf : sees).add(subject.slice(PATIENT.length));
  }
}

function filedUnder({ collections, session }: Reader, person: string, ids: readonly string[]): AsyncIterable<Named> {
  const subjects = ids.map((id) => `${PATIENT}${id}`);
  const filed = { person, subject: { $in: subjects }, type: { $in: [...ITEM_TYPES] } };
  const projection = { type: 1, id: 1, parent: 1, subject: 1 } as const;
  return collections.standing.find(filed as object, { session, projection });
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
