/** Who may decide a Task: a data protection officer, or a desk, whoever of them sees it, as a pure rule. */
import { Fault } from '../../profiles/fault.ts';
import { requesterBases } from './basis.ts';
import { grantFor } from './grant.ts';
import { requireKind } from './may-attempt.ts';
import { RECORD_TYPES } from './may-write.ts';
import type { PersonKey, Requester } from './requester.ts';
import { makeWarrant, type Warrant } from './warrant.ts';

/** What was read for a decision. `item` is `Task/id`, `declaredBy` who declared the emergency, or recorded a paper
 * (`Practitioner/id`). */
export type ReviewedFacts = {
  readonly item: string;
  readonly person: PersonKey;
  readonly declaredBy: string;
  /** The requester sees the row. */
  readonly isSeen: boolean;
};

/**
 * Decides it: she holds her office still when it is written.
 * @throws {Fault} forbidden - requesters of this kind never do it, or it is an emergency of her own
 * @throws {Fault} not-found - no review, or one that is hidden from her
 */
export function mayReview(requester: Requester, reviewed: ReviewedFacts | undefined, now: number): Warrant {
  requireKind(requester, { interaction: 'operation', operation: 'decide' });
  if (reviewed === undefined || !reviewed.isSeen) throw new Fault('not-found', 'No such resource');
  const { item, person, declaredBy } = reviewed;
  if (requester.kind === 'practitioner' && requester.practitioner === declaredBy)
    throw new Fault('forbidden', 'Nobody decides what she declared or recorded herself: a colleague does');
  const { principals } = grantFor(requester, now);
  return makeWarrant({
    act: 'decide',
    reaches: [{ types: RECORD_TYPES, whose: { persons: [person] }, event: 'own' }],
    bases: [...requesterBases(requester, now), { kind: 'right', person, item, principals, at: now }],
  });
}
