/**
 * Who was erased is kept outside the data too, before the data forgets her: a copy of the data that is older than her
 * erasure is put in place one day, and follows it (follow-erasures.ts).
 * @see smart-security.md N05
 */
import type { IdentityContent } from '../../../../profiles/identity/identity-resource.ts';
import { systemReading } from '../../../access/grant.ts';
import { claimKey } from '../../../ports/claim-key.ts';
import type { Claim } from '../../../ports/commit-plan.ts';
import type { ErasureEntry } from '../../../ports/erasure-key.ts';
import { claimOf } from '../../internal-reads.ts';
import { oneOf, type PlanParts } from '../../write/plan-parts.ts';
import type { Begun } from '../begin-erasure.ts';
import { erasedNumbers, suppressionParts, type SuppressionDeps } from './suppression.ts';

/** The claim that an entry was carried out on this data. */
export function followed(entry: string): Claim {
  return { key: claimKey.followed(entry), value: 'done' };
}

/** Adds her to the list outside, and gives the parts by which the data keeps of her what is kept of who was erased. */
export async function keptOutside(
  deps: SuppressionDeps,
  { task, receivedAt }: Pick<Begun, 'task' | 'receivedAt'>,
  identities: readonly IdentityContent[],
  now: number,
): Promise<PlanParts> {
  const { erasureKey, records } = deps;
  const numbers = erasedNumbers(deps, identities);
  if (erasureKey === undefined || numbers.length === 0) return {};
  const entries = await erasureKey.entries();
  const isListed = entries.some(({ kind, id }) => kind === 'erased' && id === task);
  if (!isListed) await erasureKey.add({ kind: 'erased', id: task, receivedAt, numbers });
  const isFollowed =
    (await claimOf(records, systemReading('erase-record', now), claimKey.followed(task))) !== undefined;
  return oneOf([
    // In an older copy, whom an operator took again since is erased as she was then, and stays taken.
    isReadmitted(entries, task) ? {} : await suppressionParts(deps, numbers, now),
    { claims: isFollowed ? [] : [followed(task)] },
  ]);
}

/** Whether an operator took her again after this erasure. */
export function isReadmitted(entries: readonly ErasureEntry[], task: string): boolean {
  const at = entries.findIndex(({ kind, id }) => kind === 'erased' && id === task);
  const entry = entries[at];
  if (entry?.kind !== 'erased') return false;
  const keys = new Set(entry.numbers.map(({ key }) => key));
  return entries.slice(at + 1).some((one) => one.kind === 'readmitted' && one.keys.some((key) => keys.has(key)));
}
