/** For how many years events are kept: a claim, by which the servers of one store agree. */
import { systemGrant } from '../../access/grant.ts';
import { systemWarrant } from '../../access/system-warrant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';

/**
 * Says for how many years a server keeps events, and resolves with the years that count: the longest that any has said.
 * One that keeps them for ever takes back what was said, so that a shorter time may be said afterwards.
 * @throws {Fault} conflict - other servers say something else again and again
 */
export async function agreeOnYears(
  records: RecordStore,
  now: number,
  years: number | undefined,
): Promise<number | undefined> {
  const key = claimKey.keptYears();
  const { result } = await commitFresh(records, async () => {
    const value = await records.claimed(systemGrant('keep-events', 'whole', now), key);
    const longest = years === undefined ? undefined : Math.max(years, Number(value ?? 0));
    const said = longest === undefined ? undefined : String(longest);
    const parts =
      said === value
        ? {}
        : {
            preconditions: value === undefined ? [] : [{ kind: 'claimed' as const, key, value }],
            erased: value === undefined ? [] : [{ claims: [key] }],
            claims: said === undefined ? [] : [{ key, value: said }],
          };
    return { warrant: systemWarrant('keep-events', 'cut'), plan: joinParts(parts), result: longest };
  });
  return result;
}
