/**
 * Who may let somebody else see a record for a time, as pure rules: the patient makes a presence code, and a
 * professional redeems it; the support of the region asks for what a ticket needs.
 */
import { Fault } from '../../../profiles/fault.ts';
import { requesterBases } from '../basis.ts';
import { stateAllows } from '../decide.ts';
import { requireKind } from '../may-attempt.ts';
import { RECORD_TYPES, subjectBases, type SubjectFacts } from '../may-write.ts';
import type { Requester } from '../requester.ts';
import { HIDING_SWITCHES, stateBases } from '../switches.ts';
import { makeWarrant, type Warrant } from '../warrant.ts';

/**
 * Decides whether a patient makes a code for her own record: what is not shared no code opens.
 * @throws {Fault} forbidden - another than a patient makes one
 * @throws {Fault} business-rule - her record is not shared
 */
export function mayMakeCode(requester: Requester, subject: SubjectFacts, now: number): Warrant {
  requireKind(requester, { interaction: 'operation', operation: 'presence-code' });
  if (!stateAllows('presence', subject.state))
    throw new Fault('business-rule', 'Your record is not shared: no code opens it');
  return givingWarrant(requester, 'presence-code', subject, now);
}

/**
 * Decides what a professional writes who tried a code: `subject` is whose code it is, and undefined where it is
 * nobody's that opens anything; then only the try is kept.
 * @throws {Fault} forbidden - another than a professional tries
 */
export function mayRedeem(requester: Requester, subject: SubjectFacts | undefined, now: number): Warrant {
  requireKind(requester, { interaction: 'operation', operation: 'redeem-presence-code' });
  if (subject !== undefined) return givingWarrant(requester, 'redeem-presence-code', subject, now);
  return makeWarrant({ act: 'redeem-presence-code', reaches: [], bases: requesterBases(requester, now) });
}

/**
 * Decides whether somebody of the support asks for what a ticket needs. Of a record that is not shared it is asked,
 * too: nothing is shown then, and nothing told of that.
 * @throws {Fault} forbidden - another asks
 * @throws {Fault} not-found - nobody is known
 */
export function mayAskSupport(requester: Requester, subject: SubjectFacts | undefined, now: number): Warrant {
  requireKind(requester, { interaction: 'operation', operation: 'support-access' });
  if (subject === undefined) throw new Fault('not-found', 'No such patient');
  return makeWarrant({
    act: 'support-access',
    reaches: [{ types: RECORD_TYPES, whose: { persons: [subject.person] }, event: 'own' }],
    bases: [...requesterBases(requester, now), ...subjectBases(subject)],
  });
}

function givingWarrant(requester: Requester, act: string, subject: SubjectFacts, now: number): Warrant {
  return makeWarrant({
    act,
    reaches: [{ types: RECORD_TYPES, whose: { persons: [subject.person] }, event: 'own' }],
    bases: [
      ...requesterBases(requester, now),
      ...subjectBases(subject),
      ...stateBases(subject.person, HIDING_SWITCHES),
    ],
  });
}
