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
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { claimOf } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { oneOf, type PlanParts } from '../write/plan-parts.ts';

/** What the question needs. */
export type GroundDeps = {
  readonly records: RecordStore;
  readonly region: Pick<RegionIndex, 'informs' | 'establishments'>;
};

/** Who filed what, when. */
export type Filing = {
  /** `Organization/id`. */
  readonly organization: string;
  /** `Patient/id` of the identity that it is filed under. */
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly at: number;
};

/** Whether it is shared, and what the plan that says so rests on. */
export type Ground = { readonly isShared: boolean; readonly rests: PlanParts };

/** The job that looks again at what is filed under an identity, or at all of a person of whom a Task is (`Task/id`). */
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

/**
 * The ground of what several filed: what one of them filed on none is not shared, so the whole of it is not. Of what
 * stands, `wasShared` or not, whom the region file names no more is not asked: it stays as it is for them.
 */
export async function groundOfAll(
  deps: GroundDeps,
  reading: ItemReading,
  { filings, wasShared }: { readonly filings: readonly Filing[]; readonly wasShared?: boolean | undefined },
  now: number,
): Promise<Ground> {
  const isAsked = ({ organization }: Filing): boolean =>
    wasShared === undefined || deps.region.establishments.includes(organization);
  const all: PlanParts[] = [];
  for (const filing of filings.filter(isAsked)) {
    const { isShared, rests } = await groundOf(deps, reading, filing, now);
    if (!isShared) return { isShared, rests };
    all.push(rests);
  }
  return { isShared: wasShared === true || filings.every(isAsked), rests: oneOf(all) };
}

/** When the first version of a row was written (epoch milliseconds), as far as it is kept. */
export async function filedAt(records: RecordStore, reading: ItemReading, row: InternalRow): Promise<number> {
  const { type, id, version, updated } = row;
  if (version === 1) return updated;
  const first = await records.peek(reading({ item: `${type}/${id}` }), { kind: 'resource', type, id, version: 1 });
  return first?.updated ?? updated;
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
