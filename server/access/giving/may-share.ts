/** Who may share an item, and end a share, as pure rules: the patient, of what she sees herself. */
import type { Label } from '../../../profiles/confidentiality.ts';
import { Fault } from '../../../profiles/fault.ts';
import { requesterBases } from '../basis.ts';
import { labelAllows, stateAllows } from '../decide.ts';
import { grantFor } from '../grant.ts';
import { requireKind } from '../may-attempt.ts';
import { RECORD_TYPES, subjectBases, type SubjectFacts } from '../may-write.ts';
import type { PersonKey, Requester } from '../requester.ts';
import { HIDING_SWITCHES, stateBases } from '../switches.ts';
import { makeWarrant, type Warrant } from '../warrant.ts';

/** What was read for a decision: the item (`Type/id`), whose it is, and whether the requester sees it. */
export type SharedFacts = { readonly item: string; readonly person: PersonKey; readonly isSeen: boolean };

/**
 * Decides whether a patient shares an item under its label. `subject` is herself.
 * @throws {Fault} forbidden - another than a patient shares
 * @throws {Fault} not-found - no such item, or one that she does not see, as it is another's or not released to her
 * @throws {Fault} business-rule - her record is not shared, or the processing of the item is restricted
 */
export function mayShare(
  requester: Requester,
  shared: (SharedFacts & { readonly label: Label }) | undefined,
  subject: SubjectFacts | undefined,
  now: number,
): Warrant {
  requireKind(requester, { interaction: 'operation', operation: 'share' });
  if (shared === undefined || subject === undefined || !shared.isSeen || shared.person !== subject.person)
    throw new Fault('not-found', 'No such resource');
  const { person } = subject;
  if (!stateAllows('share', subject.state))
    throw new Fault('business-rule', 'Your record is not shared: nothing of it is');
  // Whoever has the link would see nothing.
  if (!labelAllows('share', shared.label))
    throw new Fault('business-rule', 'The processing of this item is restricted: it is shared with nobody');
  return makeWarrant({
    act: 'share',
    reaches: [{ types: RECORD_TYPES, whose: { persons: [person] }, event: 'own' }],
    bases: [
      ...requesterBases(requester, now),
      ...subjectBases(subject),
      { kind: 'row', row: shared.item, person },
      ...stateBases(person, HIDING_SWITCHES),
    ],
  });
}

/**
 * Decides whether a patient ends a share: `item` is its Consent.
 * @throws {Fault} forbidden - another than a patient ends it
 * @throws {Fault} not-found - no share, or another's
 */
export function mayEndShare(requester: Requester, shared: SharedFacts | undefined, now: number): Warrant {
  requireKind(requester, { interaction: 'operation', operation: 'revoke-share' });
  if (shared === undefined || !shared.isSeen) throw new Fault('not-found', 'No such resource');
  const { item, person } = shared;
  const { principals } = grantFor(requester, now);
  return makeWarrant({
    act: 'revoke-share',
    reaches: [{ types: RECORD_TYPES, whose: { persons: [person] }, event: 'own' }],
    bases: [...requesterBases(requester, now), { kind: 'right', person, item, principals, at: now }],
  });
}
