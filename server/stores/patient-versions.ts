/**
 * Versions of a Patient, and searches by `_lastUpdated`, as their reader sees them: every store reads more than it may
 * tell, and what of it is told is said here.
 */
import type { Patient } from '@medplum/fhirtypes';
import { Fault } from '../../profiles/fault.ts';
import { isStillHers } from '../../profiles/identity/seen-changes.ts';
import type { Criterion, DatePrefix } from '../../profiles/search/criterion.ts';
import { ALONE, matchesCriterion } from '../../profiles/search/match.ts';
import type { StoredType } from '../../profiles/types/visibility.ts';
import type { AnyGrant } from '../access/grant.ts';
import { MAX_ORDERED_ROWS, type HistoryPage, type Question, type RowVersion } from '../ports/record-store.ts';
import { patientAsSeen, SEES_NOTHING, type SeenIdentities } from './patient-view.ts';

type HistoryQuestion = Extract<Question, { kind: 'history' }>;
type VersionPlace = Pick<RowVersion, 'updated' | 'id' | 'version'>;
type DateCriterion = Extract<Criterion, { kind: 'date' }>;

/** Most former versions of a Patient that are looked at, latest first; those before are not kept for readers. */
export const MAX_FORMER_VERSIONS = 1_000;

/** Most text (UTF-16 units) of Patients, or of former versions of one, that is looked at for an answer. */
export const MAX_TEXT_LOOKED_AT = 32_000_000;

/** Patients that are looked at together: of more their text is not held at once. */
export const PATIENTS_AT_ONCE = 100;

/** Counts the text of rows that are looked at for an answer: tells of further ones whether all is little enough. */
export function textLookedAt(): (rows: readonly Pick<RowVersion, 'json'>[]) => boolean {
  let text = 0;
  return (rows) => {
    for (const { json } of rows) text += json.length;
    return text <= MAX_TEXT_LOOKED_AT;
  };
}

/** Whether a question asks for versions that are told as their reader sees them. */
export function isOfShownVersions(grant: AnyGrant, { type }: { readonly type: StoredType }): boolean {
  return type === 'Patient' && !grant.system;
}

/**
 * The versions of a Patient as her reader sees them, latest first, each once: of rows, latest first, which begin with
 * the one that stands. What she was while she was also an identity that left is not told.
 */
export function versionsAsSeen(
  [present, ...former]: readonly RowVersion[],
  opened: (row: RowVersion) => Patient,
  seen: SeenIdentities = SEES_NOTHING,
): readonly RowVersion[] {
  if (present === undefined) return [];
  const standing = opened(present);
  const told = [patientAsSeen(present, standing, seen)];
  for (const row of former) {
    const patient = opened(row);
    const version = isStillHers(patient, standing) ? patientAsSeen(row, patient, seen) : undefined;
    if (version !== undefined && version.version < (told.at(-1)?.version ?? 0)) told.push(version);
  }
  return told;
}

/** A page of versions. */
export function historyPage(
  rows: readonly RowVersion[],
  { since = -Infinity, after, limit }: HistoryQuestion,
): HistoryPage {
  const asked = rows.filter((row) => row.updated >= since && (after === undefined || latestFirst(after, row) < 0));
  const page = asked.toSorted(latestFirst).slice(0, limit);
  const last = page.at(-1);
  const isMore = last !== undefined && asked.length > page.length;
  return { rows: page, next: isMore ? { updated: last.updated, id: last.id, version: last.version } : undefined };
}

/** The order of histories. */
export function latestFirst(a: VersionPlace, b: VersionPlace): number {
  if (a.updated !== b.updated) return b.updated - a.updated;
  return a.id === b.id ? b.version - a.version : a.id < b.id ? -1 : 1;
}

/** Whether a criterion compares with the moment that a reader is shown of a Patient, which no index has. */
export function isShownMoment(grant: AnyGrant, type: StoredType, criterion: Criterion): criterion is DateCriterion {
  return isOfShownVersions(grant, { type }) && criterion.kind === 'date' && criterion.param === '_lastUpdated';
}

/** A moment that is shown is never later than that of the row: what of rows may match, none when all may. */
export function momentOfRow({ values, ...criterion }: DateCriterion): readonly DateCriterion[] {
  if (!values.every(({ prefix }) => LATER.includes(prefix))) return [];
  return [{ ...criterion, values: values.map((value) => ({ ...value, prefix: 'ge' as const })) }];
}

const LATER: readonly DatePrefix[] = ['eq', 'gt', 'ge', 'sa'];

/** The criterion that every row from a moment on satisfies. */
export function since(moment: number | undefined): readonly DateCriterion[] {
  if (moment === undefined) return [];
  return [{ kind: 'date', param: '_lastUpdated', values: [{ lo: moment, hi: moment + 1, prefix: 'ge' }] }];
}

/** The ids of the Patients, as their reader sees them, that satisfy all criteria on their moment. */
export function idsUpdated(rows: readonly RowVersion[], criteria: readonly DateCriterion[]): readonly string[] {
  const matches = ({ type, id, updated }: RowVersion): boolean => {
    const dates = [{ param: '_lastUpdated', lo: updated, hi: updated + 1 }];
    const indexed = { type, id, tokens: [], references: [], strings: [], dates };
    return criteria.every((criterion) => matchesCriterion(indexed, criterion, ALONE));
  };
  return rows.filter(matches).map(({ id }) => id);
}

/**
 * Requires that Patients are few enough to be looked at one by one.
 * @throws {Fault} too-costly
 */
export function requireFewPatients(patients: number): void {
  if (patients > MAX_ORDERED_ROWS) throw tooManyPatients();
}

/** Says that fewer Patients, or such with less text, are looked at. */
export function tooManyPatients(): Fault {
  return new Fault(
    'too-costly',
    `More than ${MAX_ORDERED_ROWS} Patients, or very long ones, may have changed then; ask for a later moment, or ` +
      'narrow the search',
    { expression: '_lastUpdated' },
  );
}
