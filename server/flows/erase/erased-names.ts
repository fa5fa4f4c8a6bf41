/**
 * What the trail tells of rows goes once they are gone: of what stays it tells as before, wherever the work stops.
 * Their names are kept until then, for nothing else names what is gone.
 */
import { systemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import { claimOf } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts, type PlanParts } from '../write/plan-parts.ts';
import { erasedEventsRecord, type EraseStudyDeps } from './erase-study.ts';
import type { Taking } from './taken.ts';

type Deps = Pick<EraseStudyDeps, 'records' | 'clock'>;

/** The parts of a plan that takes what has these names (UIDs, identifiers, `Type/id` of rows) of a person. */
export async function namedParts(
  { records, clock }: Deps,
  { person }: Pick<Taking, 'person'>,
  names: Iterable<string>,
): Promise<PlanParts> {
  const key = claimKey.erasedNames(person);
  const value = await claimOf(records, systemReading('erase-record', clock.now()), key);
  const claims = [{ key, value: JSON.stringify([...new Set([...readNames(value), ...names])]) }];
  if (value === undefined) return { claims };
  return { preconditions: [{ kind: 'claimed', key, value }], erased: [{ claims: [key] }], claims };
}

/** Takes from the trail what it tells of all that is gone, whichever run took it, and forgets the names. */
export async function eraseNamed(
  { records, clock, trail }: EraseStudyDeps,
  { person, task }: Pick<Taking, 'person' | 'task'>,
  { goOn }: JobRun,
): Promise<void> {
  const key = claimKey.erasedNames(person);
  const value = await claimOf(records, systemReading('erase-record', clock.now()), key);
  if (value === undefined) return;
  await trail.eraseEntities(new Set(readNames(value)), (events) => erasedEventsRecord(clock, events, task), goOn);
  await goOn();
  const forgotten: PlanParts = { preconditions: [{ kind: 'claimed', key, value }], erased: [{ claims: [key] }] };
  await records.commit(systemWarrant('erase-items', person), joinParts(forgotten));
}

function readNames(value = '[]'): readonly string[] {
  return JSON.parse(value) as readonly string[];
}
