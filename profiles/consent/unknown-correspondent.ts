/**
 * A declaration that names somebody who is not in the directory gives nothing; a desk finds out who is meant, or that
 * nobody is.
 */
import type { Consent, ConsentProvisionActor, Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';

/** Code of `definitions/CodeSystem-task.json`. */
export const UNKNOWN_CORRESPONDENT = { code: 'correspondent-unknown', display: 'Correspondent who is not known' };

/**
 * The actors of a Consent that are named without a reference: by a number that the directory gives to nobody, or, in
 * images, by the name alone.
 */
export function unknownActors({ provision }: Consent): readonly ConsentProvisionActor[] {
  return (provision?.actor ?? []).filter(({ reference }) => reference.reference === undefined);
}

/** What a desk finds out: who is meant, or that nobody is. */
export const CORRESPONDENT_VERDICTS = ['declared', 'refused'] as const;

/** One of {@link CORRESPONDENT_VERDICTS}. */
export type CorrespondentVerdict = (typeof CORRESPONDENT_VERDICTS)[number];

/** Whether a Task is one of these. */
export function isUnknownTask({ code }: Task): boolean {
  return (code?.coding ?? []).some((one) => one.system === CODE_SYSTEM.task && one.code === UNKNOWN_CORRESPONDENT.code);
}

/**
 * What a desk decided: `officer` (a reference) says why in `comment`; `professional` (a reference) is who is meant,
 * absent where nobody is. `now` is in epoch milliseconds.
 */
export type UnknownDecision = {
  readonly professional?: string | undefined;
  readonly comment: string;
  readonly officer: string;
  readonly now: number;
};

/** The Task as it is when that was decided. */
export function decidedUnknown(task: Task, { professional, comment, officer, now }: UnknownDecision): Task {
  const output = { type: RECIPIENT, valueReference: { reference: professional ?? '' } };
  return {
    ...task,
    status: professional === undefined ? 'rejected' : 'completed',
    statusReason: { text: comment },
    lastModified: new Date(now).toISOString(),
    owner: { reference: officer },
    ...(professional === undefined ? {} : { output: [output] }),
  };
}

const RECIPIENT = { coding: [{ system: CODE_SYSTEM.participationType, code: 'IRCP' }] };

/** `patient`, `consent` and `requester` are references; `now` is in epoch milliseconds. */
export type UnknownFacts = {
  readonly id: string;
  readonly patient: string;
  readonly consent: string;
  readonly requester: string;
  readonly actors: readonly ConsentProvisionActor[];
  readonly now: number;
};

/** Builds the Task of the desk, with each name as it was sent. */
export function buildUnknownTask({ id, patient, consent, requester, actors, now }: UnknownFacts): Task {
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, ...UNKNOWN_CORRESPONDENT }] },
    focus: { reference: consent },
    for: { reference: patient },
    authoredOn: new Date(now).toISOString(),
    requester: { reference: requester },
    input: actors.map(({ reference }) => ({ type: RECIPIENT, valueReference: reference })),
  };
}
