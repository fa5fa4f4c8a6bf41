/** Patients as a requester sees them, and the identifiers by which it may find them. */
import { sayersThatLeft } from '../../../../profiles/identity/seen-changes.ts';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import {
  bears,
  identifierAsked,
  identitiesToLookUp,
  ITEM_TYPES,
  openedPatients,
  rowsWith,
  wholeValues,
  type OpenedPatients,
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
  const patients = openedPatients(reader.grant, rows);
  return patients.size === 0 ? rows : rowsWith(rows, patients, await seenIdentities(reader, patients));
}

const PATIENT = 'Patient/';
/** Rows that are looked at together. */
const AT_ONCE = 1_000;

type Named = RowName & Pick<RowContent, 'subject'>;

/**
 * Which identities of Patients the reader sees an item of, or is a source of, those included that left. It looks at the
 * identities themselves first, and at what is filed under them until each is seen.
 */
export async function seenIdentities(reader: Reader, patients: OpenedPatients<VisibleRow>): Promise<SeenIdentities> {
  const ids = identitiesToLookUp(patients);
  const [sees, isSourceOf] = [new Set<string>(), new Set<string>()];
  if (ids.length === 0) return { sees, isSourceOf };
  let some: Named[] = ids.map((id) => ({ type: 'Person', id, subject: `${PATIENT}${id}` }));
  for await (const row of filedUnder(reader, await personsOf(reader, patients), ids)) {
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

/** The persons that the identities are: one that left a Patient is another's. */
async function personsOf(
  { collections, session }: Reader,
  patients: OpenedPatients<VisibleRow>,
): Promise<readonly string[]> {
  const persons = [...patients.keys()].flatMap(({ person }) => person ?? []);
  const left = [...patients.values()].flatMap(sayersThatLeft);
  if (left.length === 0) return persons;
  const keys = left.map((id) => rowKey('Person', id));
  const found = collections.standing.find({ _id: { $in: keys } }, { session, projection: { person: 1 } });
  return [...persons, ...(await found.toArray()).flatMap(({ person }) => person ?? [])];
}

function filedUnder(
  { collections, session }: Reader,
  persons: readonly string[],
  ids: readonly string[],
): AsyncIterable<Named> {
  const subjects = ids.map((id) => `${PATIENT}${id}`);
  const filed = { person: { $in: persons }, subject: { $in: subjects }, type: { $in: [...ITEM_TYPES] } };
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
