/** That an instance stands as it was read when a plan takes it away: whoever changed it meanwhile was first. */
import type { InstanceRow, Precondition } from '../../ports/commit-plan.ts';

/** The condition of a plan that rests on an instance as it was read. */
export function filedAs({ sopInstanceUID, subject, blob, furtherSources = [] }: InstanceRow): Precondition {
  return { kind: 'filed', sopInstanceUID, subject, blob, furtherSources };
}
