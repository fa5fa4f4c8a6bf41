/** What follows an emergency: somebody reviews it, and the patient is told. */
import type { Communication, Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';

/** The review. `patient` is absent when the server knows none of that identifier; times are epoch milliseconds. */
export type ReviewFacts = {
  readonly id: string;
  readonly patient?: string;
  readonly practitioner: string;
  /** Code of v3-ActReason. */
  readonly reason: string;
  readonly justification: string;
  readonly now: number;
};

const REVIEW_MS = 8 * 24 * 3_600_000;

/** Builds the Task of whoever reviews emergencies; it is due within eight days. */
export function buildReviewTask({ id, patient, practitioner, reason, justification, now }: ReviewFacts): Task {
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { text: 'break-glass-review' },
    description: justification,
    ...(patient === undefined ? {} : { for: { reference: patient } }),
    authoredOn: new Date(now).toISOString(),
    requester: { reference: practitioner },
    reasonCode: { coding: [{ system: CODE_SYSTEM.actReason, code: reason }] },
    restriction: { period: { end: new Date(now + REVIEW_MS).toISOString() } },
  };
}

/** The notice. `patient` and `consent` are references; `now` is in epoch milliseconds. */
export type NoticeFacts = {
  readonly id: string;
  readonly patient: string;
  readonly consent: string;
  readonly now: number;
};

/** Builds the Communication that tells the patient. */
export function buildEmergencyNotice({ id, patient, consent, now }: NoticeFacts): Communication {
  return {
    resourceType: 'Communication',
    id,
    status: 'in-progress',
    subject: { reference: patient },
    about: [{ reference: consent }],
    sent: new Date(now).toISOString(),
    recipient: [{ reference: patient }],
    payload: [
      {
        contentString: 'Un professionnel de santé a déclaré une urgence et a ouvert un accès temporaire à vos examens.',
      },
    ],
  };
}
