/** Claims: unique names, taken by plans and required by them. */
import type { ClientSession } from 'mongodb';
import type { Claim, CommitPlan } from '../../../ports/commit-plan.ts';
import { claimNotHeld, claimTaken } from '../../refused.ts';
import type { Collections } from '../collections.ts';

/**
 * Checks the conditions of a plan on claims, and touches them: whoever changes one of them conflicts.
 * @throws {Fault} conflict - one is not held as it was expected
 */
export async function requireClaims(
  { claims }: Collections,
  { preconditions = [] }: CommitPlan,
  session: ClientSession,
): Promise<void> {
  for (const condition of preconditions) {
    if (condition.kind !== 'claimed') continue;
    const { matchedCount } = await claims.updateOne(
      { _id: condition.key, value: condition.value },
      { $inc: { touches: 1 } },
      { session },
    );
    if (matchedCount === 0) throw claimNotHeld();
  }
}

/**
 * Takes the claims of a plan; the same value again is no conflict.
 * @throws {Fault} conflict - another value holds one
 */
export async function takeClaims(
  { claims }: Collections,
  wanted: readonly Claim[],
  session: ClientSession,
): Promise<void> {
  if (wanted.length === 0) return;
  const found = await claims.find({ _id: { $in: wanted.map(({ key }) => key) } }, { session }).toArray();
  const held = new Map(found.map(({ _id, value }) => [_id, value]));
  const fresh = new Map<string, string>();
  for (const { key, value } of wanted) {
    const holder = held.get(key) ?? fresh.get(key);
    if (holder !== undefined && holder !== value) throw claimTaken();
    if (holder === undefined) fresh.set(key, value);
  }
  if (fresh.size > 0)
    await claims.insertMany(
      [...fresh].map(([_id, value]) => ({ _id, value })),
      { session },
    );
}
