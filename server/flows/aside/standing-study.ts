/** Whose the study is that stands, for what settles it. */
import { studyEntity } from '../../../profiles/audit/entities.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditRecord, QuarantinedInstance } from '../../ports/commit-plan.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { knownPatient, type KnownPatient } from '../identity/persons.ts';
import { ERASING } from '../intake/standing-instance.ts';
import { claimOf } from '../internal-reads.ts';
import type { PlanParts } from '../write/plan-parts.ts';
import type { AsideDeps, AsideReading } from './aside-deps.ts';

/** Whose a study is, and that it still is when the plan is applied; nobody's where none stands. */
export type StandingStudy = { readonly owner?: KnownPatient; readonly still: PlanParts };

/** Finds whose a study is, by its claim. */
export async function standingStudy(
  { records }: Pick<AsideDeps, 'records'>,
  reading: AsideReading,
  studyInstanceUID: string,
): Promise<StandingStudy> {
  const key = claimKey.study(studyInstanceUID);
  const value = await claimOf(records, reading, key);
  const owner = value === undefined || value === ERASING ? undefined : await knownPatient(records, reading, value);
  if (value === undefined || owner === undefined) return { still: {} };
  return { owner, still: { preconditions: [{ kind: 'claimed', key, value }] } };
}

/** What became of instances of a study, told each person once. */
export function settlingEvents(
  clock: Clock,
  of: readonly Pick<QuarantinedInstance, 'person' | 'studyInstanceUID'>[],
  outcomeDesc: string,
): AuditRecord[] {
  const persons = new Map(of.flatMap(({ person, ...one }) => (person === undefined ? [] : [[person, one] as const])));
  return [...persons].map(([person, { studyInstanceUID }]) =>
    recordOf(clock, ownOccasion('passerelle'), 'close-study', {
      person,
      outcomeDesc,
      entities: [studyEntity(studyInstanceUID)],
    }),
  );
}
