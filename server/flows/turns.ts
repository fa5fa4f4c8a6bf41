/** Changes that follow each other, by a claim that each of them renews: any two of them conflict. */
import type { ItemReading } from '../access/grant.ts';
import type { ClaimKey } from '../ports/claim-key.ts';
import type { RecordStore } from '../ports/record-store.ts';
import { claimOf } from './internal-reads.ts';
import { newId } from './new-id.ts';
import type { PlanParts } from './write/plan-parts.ts';

/** The last change; undefined before the first one. */
export type Turn = { readonly key: ClaimKey; readonly last: string | undefined };

/** Reads it before all that a change rests on: what comes afterwards breaks the condition on it. */
export async function readTurn(records: RecordStore, reading: ItemReading, key: ClaimKey): Promise<Turn> {
  return { key, last: await claimOf(records, reading, key) };
}

/** Takes the next turn: of two changes that follow the same one, the second conflicts. */
export function nextTurn({ key, last }: Turn): PlanParts {
  const claims = [{ key, value: newId() }];
  if (last === undefined) return { claims };
  return { preconditions: [{ kind: 'claimed', key, value: last }], erased: [{ claims: [key] }], claims };
}
