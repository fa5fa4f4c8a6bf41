/** Somebody who was erased wants a record again: an operator says so, as nothing is left to sign in with. */
import { Fault } from '../../../../profiles/fault.ts';
import { systemWarrant } from '../../../access/system-warrant.ts';
import type { Clock } from '../../../ports/clock.ts';
import { ownOccasion, recordOf } from '../../audit/event-records.ts';
import { newId } from '../../new-id.ts';
import { followedParts } from './kept-outside.ts';
import { suppressedWith, type SuppressionDeps } from './suppression.ts';
import { commitFresh, joinParts } from '../../write/plan-parts.ts';

/**
 * Forgets that whom a number names was erased: what comes in of her is taken from then on. Its event tells no number.
 * @throws {Fault} not-found - nobody with this number was erased
 */
export function readmit(deps: Pick<SuppressionDeps, 'records' | 'erasureKey'> & { readonly clock: Clock }) {
  return async (number: { readonly system: string; readonly value: string }): Promise<void> => {
    const id = newId();
    await commitFresh(deps.records, async () => {
      const now = deps.clock.now();
      const claims = await suppressedWith(deps, number, now);
      if (claims.length === 0) throw new Fault('not-found', 'Nobody with this number was erased');
      const entities = [{ detail: { operation: 'readmit' } }];
      // First: an older copy of the data learns of it as it does of her erasure.
      await deps.erasureKey?.add({ kind: 'readmitted', id, at: now, keys: claims });
      const event = recordOf(deps.clock, ownOccasion('operator'), 'operation', { entities });
      const plan = joinParts(await followedParts(deps.records, id, now), { erased: [{ claims }], audit: [event] });
      return { warrant: systemWarrant('erase-record'), plan, result: undefined };
    });
  };
}
