/** Who may write what, as a pure rule over what is known of an act. */
import { Fault } from '../../../profiles/fault.ts';
import { fhirType, type StoredType } from '../../../profiles/types/visibility.ts';
import { mayAttempt, type WriteInteraction } from '../../access/may-attempt.ts';
import type { Requester } from '../../access/requester.ts';

/** What of an act is decided on. */
export type ActName = { readonly type: StoredType; readonly interaction: WriteInteraction };

/** What the decision rests on. */
export type WriteFacts = {
  /** What stands: nothing, a row that the requester wrote, one of others that it sees, one that it does not see. */
  readonly standing: 'none' | 'own' | 'seen' | 'hidden';
  /**
   * Whose record it is: the requester's own, that of a Patient whose source it is, or any other; `none` where the act
   * does not say.
   */
  readonly subject: 'own' | 'fed' | 'other' | 'none';
  /** Whether the person is opposed to the sharing of exams. */
  readonly opposed: boolean;
};

/**
 * Decides one act on what is known of it.
 * @throws {Fault} not-found - what stands is hidden from the requester
 * @throws {Fault} forbidden - another wrote it; or the patient is opposed to the sharing of exams
 * @throws {Fault} invalid - the patient is not known to the requester
 */
export function mayWrite(requester: Requester, act: ActName, facts: WriteFacts): void {
  mayAttempt(requester, act);
  if (facts.standing === 'hidden') throw new Fault('not-found', 'No such resource');
  if (facts.standing === 'seen') throw new Fault('forbidden', `A ${act.type} is changed by who wrote it only`);
  if (facts.subject === 'other') throw new Fault('invalid', 'The patient that the resource refers to is not known');
  if (facts.opposed && act.interaction !== 'delete' && fhirType(act.type).class === 'item')
    throw new Fault('forbidden', 'The patient is opposed to the sharing of exams');
}
