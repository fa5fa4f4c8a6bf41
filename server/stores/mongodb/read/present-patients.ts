/** A search by the Patient of an identity that is another person's at present is one by the Patient of that person. */
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import type { Reader } from './reader.ts';

type Reference = Extract<Criterion, { kind: 'reference' }>;

const PATIENT = 'Patient/';

/** The criteria on present Patients: one question when there are references to Patients, else none. */
export async function presentPatients(reader: Reader, where: readonly Criterion[]): Promise<readonly Criterion[]> {
  const named = where.filter(isReference).flatMap(({ values }) => values.filter((one) => one.startsWith(PATIENT)));
  if (named.length === 0) return where;
  const shown = await shownIn(reader, named);
  if (shown.size === 0) return where;
  return where.map((criterion) =>
    isReference(criterion) ? { ...criterion, values: criterion.values.map((one) => shown.get(one) ?? one) } : criterion,
  );
}

function isReference(criterion: Criterion): criterion is Reference {
  return criterion.kind === 'reference';
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
