/**
 * The Task by which desks hear of two identities: they bear one number and stay apart, one establishment knows one
 * person twice, or what joined them does not any more. @see definitions/CodeSystem-identity-review-input.json
 */
import type { Task, TaskInput } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import type { Rule } from './contradiction.ts';

/**
 * Why a Task asks: what contradicts, or `duplicate`: two numbers of one establishment for one person; `former-join`: an
 * earlier server had joined them.
 */
export type ReviewRule = Rule | 'duplicate' | 'former-join';

/** Two identities (ids of the Patients that they are by themselves), the later one first. */
export type IdentityReview = { readonly one: string; readonly other: string; readonly rule: ReviewRule };

/** Builds the Task, which waits for a desk. `now` is epoch milliseconds. */
export function buildReviewTask(id: string, { one, other, rule }: IdentityReview, now: number): Task & { id: string } {
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, code: 'identity-review', display: 'Review of identities' }] },
    for: { reference: `Patient/${one}` },
    authoredOn: new Date(now).toISOString(),
    reasonCode: { coding: [{ system: CODE_SYSTEM.identityReviewRule, code: rule }] },
    input: [one, other].map((identity): TaskInput => ({
      type: { coding: [{ system: CODE_SYSTEM.identityReviewInput, code: 'identity' }] },
      valueReference: { reference: `Patient/${identity}` },
    })),
  };
}

/** The Task as it ends: what contradicted is no more, or the desk decided. */
export function endedReviewTask(task: Task, now: number): Task {
  return { ...task, status: 'completed', lastModified: new Date(now).toISOString() };
}
