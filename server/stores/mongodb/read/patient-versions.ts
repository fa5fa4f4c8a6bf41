/** Versions of Patients, as their reader sees them. */
import type { Patient } from '@medplum/fhirtypes';
import type { HistoryPage, Question, RowVersion } from '../../../ports/record-store.ts';
import { historyPage, MAX_FORMER_VERSIONS, since, textLookedAt, versionsAsSeen } from '../../patient-versions.ts';
import { rowKey } from '../write/acl-rows.ts';
import { seenIdentities } from './patients.ts';
import { patientsAsSeen } from './plan.ts';
import { readVisible, type Reader } from './reader.ts';

type HistoryQuestion = Extract<Question, { kind: 'history' }>;

/** The version of a Patient that its reader knows by a number. */
export async function patientVersion(reader: Reader, id: string, version: number): Promise<RowVersion | undefined> {
  return (await patientVersions(reader, id)).find((row) => row.version === version);
}

/** Answers the versions of one Patient, or the present ones of all that are visible. */
export async function patientHistory(reader: Reader, question: HistoryQuestion): Promise<HistoryPage> {
  const { id } = question;
  const rows =
    id === undefined ? await patientsAsSeen(reader, since(question.since)) : await patientVersions(reader, id);
  return historyPage(rows, question);
}

async function patientVersions(reader: Reader, id: string): Promise<readonly RowVersion[]> {
  const { collections, session } = reader;
  const [present] = await readVisible(reader, [rowKey('Patient', id)]);
  if (present === undefined) return [];
  const former = collections.history
    .find({ type: 'Patient', id, isDeletion: { $exists: false } }, { session })
    .sort({ version: -1 })
    .limit(MAX_FORMER_VERSIONS);
  const [rows, isLittle] = [[present as RowVersion], textLookedAt()];
  for await (const { version, updated, json } of former) {
    if (!isLittle([{ json }])) break;
    rows.push({ ...present, version, updated, json });
  }
  const seen = await seenIdentities(reader, [present]);
  return versionsAsSeen(rows, ({ json }) => JSON.parse(json) as Patient, seen);
}
