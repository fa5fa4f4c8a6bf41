/** A declaration that names somebody who is not in the directory gives nothing; a desk finds out who is meant. */
import type { Consent, ConsentProvisionActor, Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';

/** Code of `definitions/CodeSystem-task.json`. */
export const UNKNOWN_CORRESPONDENT = { code: 'correspondent-unknown', display: 'Correspondent who is not known' };

/** The actors of a Consent that are named by a number to which the directory has nobody: without a reference. */
export function unknownActors({ provision }: Consent): readonly ConsentProvisionActor[] {
  return (provision?.actor ?? []).filter(
    ({ reference }) => reference.reference === undefined && reference.identifier !== undefined,
  );
}

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
    input: actors.map(({ reference }) => ({
      type: { coding: [{ system: CODE_SYSTEM.participationType, code: 'IRCP' }] },
      valueReference: reference,
    })),
  };
}
