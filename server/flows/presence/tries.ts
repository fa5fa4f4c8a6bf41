/**
 * Presence codes that were tried in vain: counted in the store, so that every process of it counts as one. Tries of one
 * professional take turns, and so do those for one number, whoever tries.
 */
import { createHash } from 'node:crypto';
import type { Identifier } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { ItemReading } from '../../access/grant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { ClaimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf } from '../internal-reads.ts';
import type { PlanParts } from '../write/plan-parts.ts';

/** Tries in vain, within so many minutes, after which no more is looked at. @see smart-security C10 */
export const MOST_TRIES = { count: 5, minutes: 15 } as const;

/** Those of one professional, or for one number: the moments (epoch milliseconds) of the last minutes. */
export type Tries = { readonly key: ClaimKey; readonly last: string | undefined; readonly moments: readonly number[] };

/** Reads those of a professional (`Practitioner/id`), and those for whom a number names, whether or not it is known. */
export async function readTries(
  records: RecordStore,
  reading: ItemReading,
  { practitioner, identifier }: { readonly practitioner: string; readonly identifier: Identifier },
  now: number,
): Promise<readonly Tries[]> {
  const since = now - MOST_TRIES.minutes * 60_000;
  const all: Tries[] = [];
  for (const key of [claimKey.presenceTries(practitioner), triesFor(identifier)]) {
    const last = await claimOf(records, reading, key);
    const { moments } = JSON.parse(last ?? NONE) as { readonly moments: readonly number[] };
    all.push({ key, last, moments: moments.filter((moment) => moment > since) });
  }
  return all;
}

/** The key of those for whom a number names. */
export function triesFor({ system = '', value = '' }: Pick<Identifier, 'system' | 'value'>): ClaimKey {
  const named = createHash('sha256')
    .update(JSON.stringify([system, value]))
    .digest('base64url');
  return claimKey.presenceTries(named);
}

const NONE = JSON.stringify({ moments: [] });

/** @throws {Fault} throttled - too many were in vain lately: not even the right code is looked at */
export function refuseGuessing(all: readonly Tries[]): void {
  if (all.every(({ moments }) => moments.length < MOST_TRIES.count)) return;
  throw new Fault('throttled', `Too many codes were wrong; try again in ${MOST_TRIES.minutes} minutes`);
}

/** Takes the next turn of each; of a try in vain its moment is kept (`missed`). `id` tells it from others. */
export function triedParts(all: readonly Tries[], id: string, missed?: number): PlanParts {
  const parts = all.map(({ key, last, moments }) => {
    const kept = missed === undefined ? moments : [...moments, missed];
    const claim = { key, value: JSON.stringify({ moments: kept, id }) };
    return { claim, last };
  });
  const standing = parts.flatMap(({ claim: { key }, last }) => (last === undefined ? [] : [{ key, value: last }]));
  return {
    claims: parts.map(({ claim }) => claim),
    preconditions: standing.map((one) => ({ kind: 'claimed', ...one }) as const),
    erased: standing.map(({ key }) => ({ claims: [key] })),
  };
}
