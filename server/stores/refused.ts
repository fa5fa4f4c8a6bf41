/** What a plan is refused for by what stands, told in the same words by every store. */
import { Fault } from '../../profiles/fault.ts';
import type { Precondition } from '../ports/commit-plan.ts';

/** A condition on a row. */
export type RowCondition = Extract<Precondition, { readonly kind: 'version' | 'absent' }>;

/** Whether a condition is on a row. */
export function isRowCondition(condition: Pick<Precondition, 'kind'>): condition is RowCondition {
  return condition.kind === 'version' || condition.kind === 'absent';
}

/**
 * Compares a condition with the version at which its row stands, undefined where none does, and with that of the
 * deletion that is left of it, 0 where none is.
 * @throws {Fault} version-conflict, conflict - it does not hold
 */
export function requireRowCondition(
  condition: RowCondition,
  version: number | undefined,
  deletionLeft: () => number,
): void {
  const { type } = condition;
  if (condition.kind === 'absent') {
    if (version !== undefined) throw new Fault('conflict', `The ${type} exists already`);
    const { deletion } = condition;
    if (deletion === undefined || deletion === deletionLeft()) return;
    throw new Fault('conflict', `The ${type} was deleted meanwhile`);
  }
  if (version !== condition.version)
    throw new Fault('version-conflict', `The ${type} stands at another version than the one that was expected`);
}

/** A claim is required that nobody holds, or another value. */
export function claimNotHeld(): Fault {
  return new Fault('conflict', 'A claim is not held as it was expected');
}

/** An instance is required that stands elsewhere, or is kept aside no more. */
export function instanceElsewhere(): Fault {
  return new Fault('conflict', 'An instance is not where it was expected');
}

/** A search was to find nothing, and finds a row. */
export function matchFound(type: string): Fault {
  return new Fault('conflict', `A ${type} matches that was not there before`);
}

/** A claim is wanted that another value holds. */
export function claimTaken(): Fault {
  return new Fault('conflict', 'An identifier is taken already');
}

/** A plan was made before an identity moved: its rows would lie outside the person's state and rights. */
export function personMoved(): Fault {
  return new Fault('conflict', 'Who the person is has changed meanwhile');
}

/** An instance stands under the UID with another data set. */
export function otherDataSet(): Fault {
  return new Fault('conflict', 'The SOP Instance stands already with another data set', {
    expression: 'SOPInstanceUID',
  });
}

/** Two jobs would bear one id. */
export function jobIdTaken(): Fault {
  return new Fault('conflict', 'Another job has this id', { expression: 'jobs' });
}
