/**
 * Presence codes that were tried in vain: counted in the store, so that every process of it counts as one. Tries of one
 * professional take turns, and so do those for one number, whoever tries.
 */
import type { Identifier } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { systemReading, type ItemReading } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ErasureKey } from '../../ports/erasure-key.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import { commitFresh, joinParts, type PlanParts } from '../write/plan-parts.ts';

/** Tries in vain, within so many minutes, after which no more is looked at. @see smart-security C10 */
export const MOST_TRIES = { count: 5, minutes: 15 } as const;
const WINDOW_MS = MOST_TRIES.minutes * 60_000;

/** Those of one professional, or for one number: the moments (epoch milliseconds) of the last minutes. */
export type Tries = {
  /** `Practitioner/id`, or the digest of the number. */
  readonly of: string;
  /** What is kept of them, as it stands. */
  readonly last: string | undefined;
  readonly moments: readonly number[];
};

/** What it takes. Without a key, which servers always have, tries for a number are not counted. */
export type TriesDeps = { readonly records: RecordStore; readonly erasureKey?: ErasureKey | undefined };

/** Reads those of a professional (`Practitioner/id`), and those for whom a number names, whether or not it is known. */
export async function readTries(
  { records, erasureKey }: TriesDeps,
  reading: ItemReading,
  { practitioner, identifier }: { readonly practitioner: string; readonly identifier: Identifier },
  now: number,
): Promise<readonly Tries[]> {
  const all: Tries[] = [];
  for (const of of [practitioner, ...triesFor(erasureKey, identifier)]) {
    const last = await claimOf(records, reading, claimKey.presenceTries(of));
    all.push({ of, last, moments: momentsOf(last).filter((moment) => moment + WINDOW_MS > now) });
  }
  return all;
}

/** What those are kept by for whom a number names, which is typed by anybody: a digest that needs the key. */
export function triesFor(
  erasureKey: ErasureKey | undefined,
  { system = '', value = '' }: Pick<Identifier, 'system' | 'value'>,
): readonly string[] {
  const named = erasureKey?.digest(JSON.stringify(['presence-tries', system, value]));
  return named === undefined ? [] : [named];
}

function momentsOf(last = NONE): readonly number[] {
  return (JSON.parse(last) as { readonly moments: readonly number[] }).moments;
}

const NONE = JSON.stringify({ moments: [] });

/** @throws {Fault} throttled - too many were in vain lately: not even the right code is looked at */
export function refuseGuessing(all: readonly Tries[]): void {
  if (all.every(({ moments }) => moments.length < MOST_TRIES.count)) return;
  throw new Fault('throttled', `Too many codes were wrong; try again in ${MOST_TRIES.minutes} minutes`);
}

/**
 * Takes the next turn of each; of a try in vain its moment is kept (`missed`). `id` tells it from others, and all is
 * forgotten when none of it is counted any more.
 */
export function triedParts(
  all: readonly Tries[],
  { id, now, missed }: { readonly id: string; readonly now: number; readonly missed: boolean },
): PlanParts {
  const parts = all.map(({ of, last, moments }) => {
    const value = JSON.stringify({ moments: missed ? [...moments, now] : moments, id });
    return { of, last, claim: { key: claimKey.presenceTries(of), value } };
  });
  const standing = parts.flatMap(({ claim: { key }, last }) => (last === undefined ? [] : [{ key, value: last }]));
  return {
    claims: parts.map(({ claim }) => claim),
    preconditions: standing.map((one) => ({ kind: 'claimed', ...one }) as const),
    erased: standing.map(({ key }) => ({ claims: [key] })),
    jobs: parts.map(({ of }) => jobOf('forget-tries', of, now + WINDOW_MS)),
  };
}

/** Makes the work of `forget-tries`: removes what is kept of tries that are counted no more. */
export function forgetTries({ records, clock }: { readonly records: RecordStore; readonly clock: Clock }) {
  return async ({ subject }: TakenJob<'forget-tries'>): Promise<{ readonly againAt: number } | void> => {
    const { result: againAt } = await commitFresh(records, async () => {
      const now = clock.now();
      const warrant = systemWarrant('forget-tries', 'forget-tries');
      const key = claimKey.presenceTries(subject);
      const value = await claimOf(records, systemReading('presence-code', now), key);
      const over = Math.max(0, ...momentsOf(value)) + WINDOW_MS;
      if (value === undefined || over > now)
        return { warrant, plan: joinParts(), result: value === undefined ? undefined : over };
      const parts: PlanParts = { preconditions: [{ kind: 'claimed', key, value }], erased: [{ claims: [key] }] };
      return { warrant, plan: joinParts(parts), result: undefined };
    });
    if (againAt !== undefined) return { againAt };
  };
}
