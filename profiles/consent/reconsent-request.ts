/** What an establishment was told of the end of a withdrawal that is the patient's own: she confirms it, or nothing. */
import type { Communication, Task } from '@medplum/fhirtypes';

/** The code of the request. */
export const RECONSENT_REQUEST = 'reconsent-request';

/** A request. `patient` and `organization` are references; `isDone` when nothing of hers stood against it. */
export type ReconsentRequestFacts = {
  readonly id: string;
  readonly patient: string;
  readonly organization: string;
  readonly isDone: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
};

/** Builds the Task that she confirms. */
export function buildReconsentRequest({ id, patient, organization, isDone, now }: ReconsentRequestFacts): Task {
  return {
    resourceType: 'Task',
    id,
    status: isDone ? 'completed' : 'requested',
    intent: 'proposal',
    code: { text: RECONSENT_REQUEST },
    for: { reference: patient },
    authoredOn: new Date(now).toISOString(),
    requester: { reference: organization },
    owner: { reference: patient },
  };
}

/** Builds the Communication that tells her. */
export function buildRequestNotice(facts: {
  readonly id: string;
  readonly patient: string;
  readonly task: string;
  readonly now: number;
}): Communication {
  const { id, patient, task, now } = facts;
  return {
    resourceType: 'Communication',
    id,
    status: 'in-progress',
    subject: { reference: patient },
    about: [{ reference: task }],
    sent: new Date(now).toISOString(),
    recipient: [{ reference: patient }],
    payload: [
      {
        contentString:
          'Un établissement a noté que vous souhaitez de nouveau partager vos examens. ' +
          'Rien ne change sans votre accord.',
      },
    ],
  };
}
