/**
 * The Task by which an establishment hears that it was given data of a person who is erased (GDPR 19). It does not name
 * her: digests of numbers let whoever has a number already find her by it.
 */
import { createHash } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';

/** The code of the Task, of `definitions/CodeSystem-task.json`. */
export const ERASURE_RECIPIENT_TASK = { code: 'erasure-recipient', display: 'Erasure at a recipient' } as const;

/** Whom it tells of what. References; numbers are those by which this establishment may know her. */
export type RecipientTold = {
  readonly id: string;
  readonly organization: string;
  /** The request that was carried out: `Task/id`. */
  readonly request: string;
  readonly numbers: readonly { readonly system: string; readonly value: string }[];
  /** Epoch milliseconds. */
  readonly now: number;
};

/** Builds it. */
export function buildRecipientTask({ id, organization, request, numbers, now }: RecipientTold): Task {
  const digests = new Set(numbers.map((number) => recipientDigest(id, number)));
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, ...ERASURE_RECIPIENT_TASK }] },
    basedOn: [{ reference: request }],
    owner: { reference: organization },
    authoredOn: new Date(now).toISOString(),
    lastModified: new Date(now).toISOString(),
    ...(digests.size === 0
      ? {}
      : { input: [...digests].map((digest) => ({ type: { text: DIGEST }, valueString: digest })) }),
  };
}

/** Whether a Task is such a one. */
export function isRecipientTask({ code }: Task): boolean {
  const codes = code?.coding ?? [];
  return codes.some((one) => one.system === CODE_SYSTEM.task && one.code === ERASURE_RECIPIENT_TASK.code);
}

const DIGEST = 'SHA-256 of the JSON array of the id of this Task, the system and the value of a number, hexadecimal';

/** The digest of a number in the Task of an id. */
export function recipientDigest(
  task: string,
  { system, value }: { readonly system: string; readonly value: string },
): string {
  return createHash('sha256')
    .update(JSON.stringify([task, system, value]))
    .digest('hex');
}
