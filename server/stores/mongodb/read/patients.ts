/** Patients as a requester sees them, and the identifiers by which it may find them. */
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { VisibleRow } from '../../../ports/record-store.ts';
import { bears, identifiersSaid, identifiersShown, MOST, namingClaims } from '../../patient-numbers.ts';
import { requireFewToShow, type IdentifiersShown, type WholeIdentifier } from '../../patient-numbers.ts';
import { asSeen, identitiesIn, ITEM_TYPES, type SeenIdentities } from '../../patient-view.ts';
import { rowKey } from '../write/acl-rows.ts';
import { tokenKey } from '../write/index-arrays.ts';
import { compileCriterion, type PlainCriterion, type RowFilter } from './criteria.ts';
import { inBatches, type Listing, type Pace } from './listing.ts';
import { accessUnder, readVisible, shownOf, type Reader, type RowName } from './reader.ts';

/** Rows of an answer, each Patient among them as its reader sees it. */
export async function rowsAsSeen<Row extends VisibleRow>(
  reader: Reader,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  return asSeen(reader.grant, rows, await seenIdentities(reader, rows));
}

/** What the reader sees of the identities of Patients, and of those that left. */
export async function seenIdentities(reader: Reader, rows: readonly VisibleRow[]): Promise<SeenIdentities> {
  const { seen, grant } = reader;
  const fresh = identitiesIn(grant, rows).filter((id) => !seen.known.has(id));
  if (fresh.length > 0) await lookUp(reader, fresh);
  return seen;
}

/** Looks up what the reader sees of identities, for all that it still reads. */
async function lookUp(reader: Reader, asked: readonly string[]): Promise<void> {
  const { seen } = reader;
  const own = await shownOf(
    reader,
    asked.map((id): RowName => ({ type: 'Person', id })),
  );
  for (const id of asked) if (own.has(rowKey('Person', id))) seen.isSourceOf.add(id);
  for (const id of await identitiesWithItems(reader, asked)) seen.sees.add(id);
  for (const id of asked) seen.known.add(id);
}

/** Those of which the reader sees an item; of each the rows are looked at until one is shown. */
async function identitiesWithItems(reader: Reader, asked: readonly string[]): Promise<readonly string[]> {
  const { collections, session, grant } = reader;
  const isShown = { principal: { $in: [...grant.principals] }, ...accessUnder(reader) };
  const access = {
    from: collections.acl.collectionName,
    localField: '_id',
    foreignField: 'item',
    pipeline: [{ $match: isShown }, { $limit: 1 }],
    as: 'access',
  };
  const isFiled = { $and: [{ $eq: ['$person', '$$person'] }, { $eq: ['$subject', '$$subject'] }] };
  const items = {
    from: collections.standing.collectionName,
    let: { person: '$person', subject: { $concat: [PATIENT, '$id'] } },
    pipeline: [
      { $match: { type: { $in: [...ITEM_TYPES] }, $expr: isFiled } },
      { $project: { _id: 1 } },
      { $lookup: access },
      { $match: { access: { $ne: [] } } },
      { $limit: 1 },
    ],
    as: 'items',
  };
  const found = collections.standing.aggregate<{ readonly id: string }>(
    [
      { $match: { _id: { $in: asked.map((id) => rowKey('Person', id)) } } },
      { $project: { id: 1, person: 1 } },
      { $lookup: items },
      { $match: { items: { $ne: [] } } },
      { $project: { id: 1 } },
    ],
    { session },
  );
  return (await found.toArray()).map(({ id }) => id);
}

const PATIENT = 'Patient/';

/** What a criterion is on a row of the index, or what has to be looked at in each row that is listed. */
export type PatientCriterion = { readonly filter: RowFilter } | { readonly shown: IdentifiersShown };

/**
 * A criterion on identifiers of Patients under a grant: those that everybody may know are in the index of Patients, the
 * others count as far as the Patient shows them.
 */
export async function identifierCriterion(
  reader: Reader,
  type: StoredType,
  criterion: PlainCriterion,
): Promise<PatientCriterion> {
  const shown = identifiersShown(reader.grant, type, criterion);
  if (shown !== undefined) return { shown };
  const filter = compileCriterion(criterion);
  const asked = identifiersSaid(reader.grant, type, criterion);
  if (asked === undefined) return { filter };
  const patients = await rowsAsSeen(reader, await readVisible(reader, await patientsSaid(reader, asked)));
  const ids = patients.filter(({ json }) => bears(json, asked)).map(({ id }) => id);
  return { filter: ids.length === 0 ? filter : { $or: [filter, { id: { $in: ids } }] } };
}

/** Visible Patients (`Patient/id`) of identities that say identifiers. */
async function patientsSaid(reader: Reader, identifiers: readonly WholeIdentifier[]): Promise<readonly string[]> {
  const keys = identifiers.map(({ system, code }) => tokenKey('identifier', system, code));
  const said = await patientsOf(reader, { tok: { $in: keys } });
  // Of more than are looked at, those that an identifier names in its domain are not left out.
  const named = said.length < MOST.saying ? [] : await patientsNamed(reader, identifiers);
  const patients = [...new Set([...named, ...said])];
  if (patients.length <= MOST.named) return patients;
  const shown = await shownOf(
    reader,
    patients.map((patient): RowName => ({ type: 'Patient', id: patient.slice(PATIENT.length) })),
  );
  return patients.filter((patient) => shown.has(patient)).slice(0, MOST.named);
}

async function patientsNamed(reader: Reader, identifiers: readonly WholeIdentifier[]): Promise<readonly string[]> {
  const { collections, session } = reader;
  const claims = await collections.claims.find({ _id: { $in: [...namingClaims(identifiers)] } }, { session }).toArray();
  const keys = claims.map(({ value }) => rowKey('Person', value.slice(PATIENT.length)));
  return await patientsOf(reader, { _id: { $in: keys } });
}

/** The present Patients of some identities. */
async function patientsOf({ collections, session }: Reader, which: object): Promise<readonly string[]> {
  const identities = await collections.standing
    .find({ type: 'Person', ...which }, { session, projection: { id: 1, patient: 1 } })
    .limit(MOST.saying)
    .toArray();
  return identities.map(({ id, patient }) => patient ?? `${PATIENT}${id}`);
}

/** Keeps of a listing the Patients that are shown with some identifiers, or without. */
export async function* showing(
  reader: Reader,
  listing: Listing,
  { identifiers, isNegated }: IdentifiersShown,
  { first }: Pace,
): Listing {
  let looked = 0;
  for await (const batch of inBatches(listing, first)) {
    looked += batch.length;
    requireFewToShow(looked);
    const keys = batch.map(({ key }) => key);
    const saying = (await readVisible(reader, keys)).filter(({ json }) => bears(json, identifiers));
    const bearing = (await rowsAsSeen(reader, saying)).filter(({ json }) => bears(json, identifiers));
    const borne = new Set(bearing.map(({ type, id }) => rowKey(type, id)));
    yield* batch.filter(({ key }) => borne.has(key) !== isNegated);
  }
}
