/**
 * Who was erased is kept outside the data too, before the data forgets her: a copy of the data that is older than her
 * erasure is put in place one day, and follows it (follow-erasures.ts).
 * @see smart-security.md N05
 */
import type { IdentityContent } from '../../../../profiles/identity/identity-resource.ts';
import { systemGrant } from '../../../access/grant.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import type { ErasureEntry } from '../../../ports/erasure-key.ts';
import type { RecordStore } from '../../../ports/record-store.ts';
import { oneOf, type PlanParts } from '../../write/plan-parts.ts';
import type { Begun } from '../begin-erasure.ts';
import { erasedNumbers, suppressionParts, type SuppressionDeps } from './suppression.ts';

/** An entry of somebody who was erased. */
export type Erased = Extract<ErasureEntry, { readonly kind: 'erased' }>;

/** The parts that say that an entry (id) was carried out on this data, and that it was the last so far. */
export async function followedParts(records: RecordStore, entry: string, now: number): Promise<PlanParts> {
  const [key, last] = [claimKey.followed(entry), claimKey.lastFollowed()];
  const standing = await records.claimedAmong(systemGrant('erase-record', 'whole', now), [key, last]);
  return {
    erased: [{ claims: standing.has(last) ? [last] : [] }],
    claims: [...(standing.has(key) ? [] : [{ key, value: 'done' }]), { key: last, value: entry }],
  };
}

/** Adds her to the list outside, and gives the parts by which the data keeps of her what is kept of who was erased. */
export async function keptOutside(
  deps: SuppressionDeps,
  { task, listed = task, receivedAt }: Pick<Begun, 'task' | 'listed' | 'receivedAt'>,
  identities: readonly IdentityContent[],
  now: number,
): Promise<PlanParts> {
  const { erasureKey, records } = deps;
  const numbers = erasedNumbers(deps, identities);
  if (erasureKey === undefined || numbers.length === 0) return {};
  const entries = await erasureKey.entries();
  const entry = { kind: 'erased', id: listed, at: now, receivedAt, identities: idsOf(identities), numbers } as const;
  // What an older copy follows is listed as it was then.
  if (listed === task && !isListed(entries, entry)) await erasureKey.add(entry);
  return oneOf([
    // In an older copy, whom an operator took again since is erased as she was then, and stays taken.
    isReadmitted(entries, listed) ? {} : await suppressionParts(deps, numbers, now),
    await followedParts(records, listed, now),
  ]);
}

function idsOf(identities: readonly IdentityContent[]): readonly string[] {
  return identities.map(({ id }) => id).toSorted();
}

/** Whether she is listed as she goes: a run that was cut short may have listed who is parted from her since. */
function isListed(entries: readonly ErasureEntry[], entry: Erased): boolean {
  const known = entries.find(({ id }) => id === entry.id);
  return known?.kind === 'erased' && known.identities.join(' ') === entry.identities.join(' ');
}

/** Whether an operator took her again after this erasure. */
export function isReadmitted(entries: readonly ErasureEntry[], task: string): boolean {
  const at = entries.findIndex(({ kind, id }) => kind === 'erased' && id === task);
  const entry = entries[at];
  if (entry?.kind !== 'erased') return false;
  const keys = new Set(entry.numbers.map(({ key }) => key));
  return entries.slice(at + 1).some((one) => one.kind === 'readmitted' && one.keys.some((key) => keys.has(key)));
}
