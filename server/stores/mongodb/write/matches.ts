/** Searches that are to find nothing. */
import type { ClientSession } from 'mongodb';
import type { CommitPlan } from '../../../ports/commit-plan.ts';
import { matchFound } from '../../refused.ts';
import type { Collections } from '../collections.ts';
import { searchRows } from '../read/search.ts';

/** What plans that expect no match of a type write, so that two of them conflict. */
export function matchKey(type: string): string {
  return `no-match|${type}`;
}

/**
 * Checks the conditions of a plan on searches. A snapshot does not see what another transaction is about to write: the
 * second of two that expect no match conflicts, and searches again.
 * @throws {Fault} conflict - a row matches
 */
export async function requireNoMatches(
  collections: Collections,
  { preconditions = [] }: CommitPlan,
  session: ClientSession,
): Promise<void> {
  for (const condition of preconditions) {
    if (condition.kind !== 'no-match') continue;
    const { grant, query } = condition;
    const mark = { $inc: { touches: 1 }, $setOnInsert: { value: query.type } };
    await collections.claims.updateOne({ _id: matchKey(query.type) }, mark, { session, upsert: true });
    const { rows } = await searchRows({ collections, session, grant, now: grant.now }, query, {});
    if (rows.length > 0) throw matchFound(query.type);
  }
}
