/** Searches that are to find nothing. */
import type { ClientSession } from 'mongodb';
import type { CommitPlan, Precondition } from '../../../ports/commit-plan.ts';
import { matchFound } from '../../refused.ts';
import type { Collections } from '../collections.ts';
import { readerOf } from '../read/reader.ts';
import { searchRows } from '../read/search.ts';

type NoMatch = Extract<Precondition, { readonly kind: 'no-match' }>;

/**
 * What the plans of one requester that expect no match of a type write, so that two of them conflict. Those of others
 * go on: what two requesters see is of one person, whose writes conflict anyway.
 */
export function matchKey({ grant, query }: NoMatch): string {
  return `no-match|${query.type}|${grant.principals.join(' ')}`;
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
    await collections.claims.updateOne({ _id: matchKey(condition) }, mark, { session, upsert: true });
    const { rows } = await searchRows(await readerOf({ collections, session, grant, now: grant.now }), query, {});
    if (rows.length > 0) throw matchFound(query.type);
  }
}
