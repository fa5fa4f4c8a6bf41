/**
 * On what ground an item is shared: its establishment says in the region file that it informs its patients, since a day
 * on or before which it filed the item, or has recorded that it informed this one. An item without either is in the
 * state `unshared`.
 */
import type { Resource } from '@medplum/fhirtypes';
import { withState } from '../../../profiles/said-label.ts';
import type { ItemReading } from '../../access/grant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { JobRequest } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { claimOf } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { PlanParts } from '../write/plan-parts.ts';

/** What the question needs. */
export type GroundDeps = { readonly records: RecordStore; readonly region: Pick<RegionIndex, 'informs'> };

/** Who filed what, when. */
export type Filing = {
  /** `Organization/id`; of an exam of several the one that it comes from. */
  readonly organization: string;
  /** `Patient/id` of the identity that it is filed under. */
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly at: number;
};

/** Whether it is shared, and what the plan that says so rests on. */
export type Ground = { readonly isShared: boolean; readonly rests: PlanParts };

/** The job that looks again at what is filed under an identity. */
export function settlingOf(subject: string, at: number): JobRequest {
  return jobOf('settle-ground', subject, at);
}

/**
 * Finds it. What is shared for a Consent needs it to stand; what is not is looked at again, for one may have come
 * meanwhile. `now` is epoch milliseconds.
 */
export async function groundOf(
  { records, region }: GroundDeps,
  reading: ItemReading,
  { organization, subject, at }: Filing,
  now: number,
): Promise<Ground> {
  if (region.informs(organization, at)) return { isShared: true, rests: {} };
  const key = claimKey.informed(organization, subject);
  const value = await claimOf(records, reading, key);
  if (value === undefined) return { isShared: false, rests: { jobs: [settlingOf(subject, now)] } };
  return { isShared: true, rests: { preconditions: [{ kind: 'claimed', key, value }] } };
}

/** An item that is filed now, in the state that follows, and what that rests on. */
export async function grounded<R extends Resource>(
  deps: GroundDeps,
  reading: ItemReading,
  item: R,
  filing: Filing,
): Promise<{ readonly item: R; readonly rests: PlanParts }> {
  const { isShared, rests } = await groundOf(deps, reading, filing, filing.at);
  return { item: withState(item, 'unshared', !isShared), rests };
}
