/** Versions of Patients, and Patients by the moment of their last change, as their reader sees them. */
import type { Patient } from '@medplum/fhirtypes';
import type { AnyGrant } from '../../../access/grant.ts';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import { MAX_ORDERED_ROWS, type HistoryPage, type Question, type RowVersion } from '../../../ports/record-store.ts';
import {
  historyPage,
  idsUpdated,
  MAX_FORMER_VERSIONS,
  momentOfRow,
  PATIENTS_AT_ONCE,
  requireFewPatients,
  since,
  textLookedAt,
  tooManyPatients,
  versionsAsSeen,
} from '../../patient-versions.ts';
import type { Database } from '../database.ts';
import { candidatesOf } from './candidates.ts';
import type { PlainCriterion } from './criteria.ts';
import { rowsAsSeen, seenIdentities } from './patients.ts';
import { visibleRow, visibleRowsAt } from './visible.ts';

type HistoryQuestion = Extract<Question, { kind: 'history' }>;
type DateCriterion = Extract<Criterion, { kind: 'date' }>;

/** The version of a Patient that its reader knows by a number. */
export function patientVersion(db: Database, grant: AnyGrant, id: string, version: number): RowVersion | undefined {
  return patientVersions(db, grant, id).find((row) => row.version === version);
}

/** Answers the versions of one Patient, or the present ones of all that are visible. */
export function patientHistory(db: Database, grant: AnyGrant, question: HistoryQuestion): HistoryPage {
  const { id } = question;
  const rows = id === undefined ? patientsAsSeen(db, grant, since(question.since)) : patientVersions(db, grant, id);
  return historyPage(rows, question);
}

/** The criterion that Patients satisfy criteria on their moment; those that satisfy the others are looked at. */
export function updatedCriterion(
  db: Database,
  grant: AnyGrant,
  moments: readonly DateCriterion[],
  others: readonly PlainCriterion[],
): PlainCriterion {
  const rows = patientsAsSeen(db, grant, [...others, ...moments.flatMap(momentOfRow)]);
  return { kind: 'id', values: idsUpdated(rows, moments) };
}

function patientsAsSeen(db: Database, grant: AnyGrant, criteria: readonly PlainCriterion[]): readonly RowVersion[] {
  const places = candidatesOf(db, grant, 'Patient', criteria).page(undefined, MAX_ORDERED_ROWS + 1);
  requireFewPatients(places.length);
  const [seen, isLittle] = [[] as RowVersion[], textLookedAt()];
  for (let at = 0; at < places.length; at += PATIENTS_AT_ONCE) {
    const rids = places.slice(at, at + PATIENTS_AT_ONCE).map(({ rid }) => rid);
    const rows = visibleRowsAt(db, grant, rids);
    if (!isLittle(rows)) throw tooManyPatients();
    seen.push(...rowsAsSeen(db, grant, rows));
  }
  return seen;
}

type FormerRow = Pick<RowVersion, 'version' | 'updated' | 'json'>;

function patientVersions(db: Database, grant: AnyGrant, id: string): readonly RowVersion[] {
  const present = visibleRow(db, grant, 'Patient', id);
  if (present === undefined) return [];
  const [rows, isLittle] = [[present as RowVersion], textLookedAt()];
  for (const row of db.iterate<FormerRow>(FORMER, id)) {
    if (!isLittle([row])) break;
    rows.push({ ...present, ...row });
  }
  const seen = seenIdentities(db, grant, [present]);
  return versionsAsSeen(rows, ({ json }) => JSON.parse(json) as Patient, seen);
}

const FORMER = `SELECT version, updated, json FROM history WHERE type = 'Patient' AND id = ? AND json <> ''
  ORDER BY version DESC LIMIT ${MAX_FORMER_VERSIONS}`;
