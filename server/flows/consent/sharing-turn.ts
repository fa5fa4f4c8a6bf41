/** Changes of whether the record of a person is shared follow each other, by a claim that each of them renews. */
import type { ItemReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { claimOf } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import type { PlanParts } from '../write/plan-parts.ts';

/** The last change. It is read before all that a change rests on: what comes afterwards breaks the condition on it. */
export async function sharingTurn(
  records: RecordStore,
  reading: ItemReading,
  person: PersonKey,
): Promise<string | undefined> {
  return await claimOf(records, reading, claimKey.sharing(person));
}

/** Takes the next turn: of two changes that follow the same one, the second conflicts. */
export function nextTurn(person: PersonKey, turn: string | undefined): PlanParts {
  const key = claimKey.sharing(person);
  const claims = [{ key, value: newId() }];
  if (turn === undefined) return { claims };
  return { preconditions: [{ kind: 'claimed', key, value: turn }], erased: [{ claims: [key] }], claims };
}
