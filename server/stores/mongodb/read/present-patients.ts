/**
 * A search by the Patient of an identity that is another person's at present is one by the Patient of that person; of
 * events, which stay as they were recorded, one by the Patients of all identities that are she.
 */
import { isLink, type Criterion } from '../../../../profiles/search/criterion.ts';
import type { Reader } from './reader.ts';

const PATIENT = 'Patient/';

/** The criteria on present Patients: one question when there are references to Patients, else none. */
export async function presentPatients(reader: Reader, where: readonly Criterion[]): Promise<readonly Criterion[]> {
  const named = where.flatMap(patientsIn);
  if (named.length === 0) return where;
  const shown = await shownIn(reader, named);
  return shown.size === 0 ? where : where.map((criterion) => withPatients(criterion, shown));
}

/** Criteria on events: who is asked for by the Patient of an identity, is asked for by those of all that are she. */
export async function allPatients(reader: Reader, where: readonly Criterion[]): Promise<readonly Criterion[]> {
  const named = where.flatMap(patientsIn);
  if (named.length === 0) return where;
  const { collections, session } = reader;
  const options = { session, projection: { id: 1, person: 1 } } as const;
  const keys = named.map((patient) => `Person/${patient.slice(PATIENT.length)}`);
  const asked = await collections.standing.find({ _id: { $in: keys } }, options).toArray();
  const persons = asked.flatMap(({ person }) => person ?? []);
  if (persons.length === 0) return where;
  const all = await collections.standing.find({ person: { $in: persons }, type: 'Person' }, options).toArray();
  const byPerson = Map.groupBy(all, ({ person }) => person);
  const hers = new Map(
    asked.map(({ id, person }) => [id, (byPerson.get(person) ?? []).map((one) => PATIENT + one.id)]),
  );
  const patientsOf = (value: string): readonly string[] => hers.get(value.slice(PATIENT.length)) ?? [value];
  return where.map((criterion) =>
    criterion.kind === 'reference'
      ? { ...criterion, values: criterion.values.flatMap((one) => (one.startsWith(PATIENT) ? patientsOf(one) : [one])) }
      : criterion,
  );
}

/** The references to Patients of a criterion and of those on other rows in it. */
function patientsIn(criterion: Criterion): readonly string[] {
  if (isLink(criterion)) return patientsIn(criterion.criterion);
  return criterion.kind === 'reference' ? criterion.values.filter((one) => one.startsWith(PATIENT)) : [];
}

function withPatients(criterion: Criterion, shown: ReadonlyMap<string, string>): Criterion {
  if (isLink(criterion)) return { ...criterion, criterion: withPatients(criterion.criterion, shown) };
  if (criterion.kind !== 'reference') return criterion;
  return { ...criterion, values: criterion.values.map((one) => shown.get(one) ?? one) };
}

async function shownIn(
  { collections, session }: Reader,
  patients: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const keys = patients.map((patient) => `Person/${patient.slice(PATIENT.length)}`);
  const found = await collections.standing
    .find({ _id: { $in: keys }, patient: { $exists: true } }, { session, projection: { id: 1, patient: 1 } })
    .toArray();
  return new Map(found.flatMap(({ id, patient }) => (patient ? [[`${PATIENT}${id}`, patient] as const] : [])));
}
