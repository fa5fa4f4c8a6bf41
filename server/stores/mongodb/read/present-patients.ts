/** A search by the Patient of an identity that is another person's at present is one by the Patient of that person. */
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
