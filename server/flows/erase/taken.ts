/**
 * What the erasure of a record, or the purge of a part of it, takes: whose it is, and how much went, which is counted
 * in the commits that take it. So a run that was cut short leaves no count out, and counts nothing twice.
 */
import { systemReading, type ItemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Erasure } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf, rowById } from '../internal-reads.ts';
import type { PlanParts } from '../write/plan-parts.ts';

/** What is taken. */
export type Taking = {
  /** The id of the Task that it is done for. */
  readonly task: string;
  readonly person: PersonKey;
  /** The identity (`Patient/id`) that its events name. */
  readonly subject: string;
  /** Those of her identities (`Patient/id`) that go. */
  readonly identities: ReadonlySet<string>;
  /** Parts of each plan that takes something more: that this may still be. It throws what ends the work. */
  readonly still?: () => Promise<PlanParts>;
};

/** How much: by type of FHIR, and `instances`. */
export type Counts = Readonly<Record<string, number>>;

type Deps = { readonly records: RecordStore; readonly clock: Clock };

/** The parts of a plan that count what it takes for a Task (by id). */
export async function countingParts({ records, clock }: Deps, task: string, more: Counts): Promise<PlanParts> {
  if (Object.values(more).every((count) => count === 0)) return {};
  const key = claimKey.taken(task);
  const value = await claimOf(records, systemReading('erase-record', clock.now()), key);
  const counts: Record<string, number> = { ...readCounts(value) };
  for (const [what, count] of Object.entries(more)) counts[what] = (counts[what] ?? 0) + count;
  const claims = [{ key, value: JSON.stringify(counts) }];
  if (value === undefined) return { claims };
  return { preconditions: [{ kind: 'claimed', key, value }], erased: [{ claims: [key] }], claims };
}

/** How much was taken for a Task (by id) by all runs, and the parts of a plan that ends it with that. */
export async function takenFor(
  records: RecordStore,
  reading: ItemReading,
  task: string,
): Promise<{ readonly counts: Counts; readonly forgotten: PlanParts }> {
  const key = claimKey.taken(task);
  const value = await claimOf(records, reading, key);
  const counts = readCounts(value);
  if (value === undefined) return { counts, forgotten: {} };
  return { counts, forgotten: { preconditions: [{ kind: 'claimed', key, value }], erased: [{ claims: [key] }] } };
}

function readCounts(value = '{}'): Counts {
  return JSON.parse(value) as Counts;
}

/** How many of some rows stand, by type: what is gone, or deleted, is counted no more. */
export async function countRows(
  records: RecordStore,
  reading: ItemReading,
  rows: NonNullable<Erasure['rows']>,
): Promise<Counts> {
  const counts: Record<string, number> = {};
  for (const { type, id } of new Map(rows.map((row) => [`${row.type}/${row.id}`, row])).values())
    if ((await rowById(records, reading, type, id)) !== undefined) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}
