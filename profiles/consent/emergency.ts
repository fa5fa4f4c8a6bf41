/** What follows an emergency: somebody reviews it, officers and desks hear of what is unusual, the patient is told. */
import type { Communication, Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';

/** Codes of `definitions/CodeSystem-task.json`. */
export const EMERGENCY_TASK = {
  review: { code: 'break-glass-review', display: 'Review of an emergency access' },
  alert: { code: 'break-glass-alert', display: 'Unusual number of emergencies' },
  ambiguous: { code: 'ambiguous-emergency', display: 'Emergency that names several persons' },
} as const;

/** Who declared it, and when (epoch milliseconds). `practitioner` is a reference. */
type Declared = { readonly id: string; readonly practitioner: string; readonly now: number };

/** The review. `patient` is absent when what was declared names nobody, or several. */
export type ReviewFacts = Declared & {
  readonly patient?: string;
  /** Code of v3-ActReason. */
  readonly reason: string;
  readonly justification: string;
};

const REVIEW_MS = 8 * 24 * 3_600_000;

/** Builds the Task of whoever reviews emergencies; it is due within eight days. */
export function buildReviewTask({ patient, reason, justification, ...declared }: ReviewFacts): Task {
  return {
    ...frame('review', declared),
    description: justification,
    ...(patient === undefined ? {} : { for: { reference: patient } }),
    reasonCode: { coding: [{ system: CODE_SYSTEM.actReason, code: reason }] },
    restriction: { period: { end: new Date(declared.now + REVIEW_MS).toISOString() } },
  };
}

/** Builds the Task by which officers hear at once that a professional declared `count` emergencies within a day. */
export function buildAlertTask({ count, ...declared }: Declared & { readonly count: number }): Task {
  return { ...frame('alert', declared), priority: 'urgent', description: `${count} in 24 h` };
}

/** Builds the Task by which the desk hears that an emergency named several Patients (references): nothing opened. */
export function buildAmbiguousTask({
  patients,
  ...declared
}: Declared & { readonly patients: readonly string[] }): Task {
  return {
    ...frame('ambiguous', declared),
    input: patients.map((reference) => ({
      type: { coding: [{ system: CODE_SYSTEM.identityReviewInput, code: 'identity' }] },
      valueReference: { reference },
    })),
  };
}

function frame(kind: keyof typeof EMERGENCY_TASK, { id, practitioner, now }: Declared): Task {
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, ...EMERGENCY_TASK[kind] }] },
    authoredOn: new Date(now).toISOString(),
    requester: { reference: practitioner },
  };
}

/** The notice. References; `consent` is absent where the record stayed closed. `now` is in epoch milliseconds. */
export type NoticeFacts = {
  readonly id: string;
  readonly patient: string;
  readonly consent?: string;
  readonly practitioner: { readonly reference: string; readonly display: string };
  readonly now: number;
};

const OPENED = 'a déclaré une urgence et a ouvert un accès temporaire à vos examens.';
const CLOSED = 'a déclaré une urgence. Vos examens ne sont pas partagés : rien ne lui a été montré.';

/** Builds the Communication that tells the patient who declared it, and when. */
export function buildEmergencyNotice({ id, patient, consent, practitioner, now }: NoticeFacts): Communication {
  const sent = new Date(now).toISOString();
  return {
    resourceType: 'Communication',
    id,
    status: 'in-progress',
    subject: { reference: patient },
    ...(consent === undefined ? {} : { about: [{ reference: consent }] }),
    sent,
    sender: practitioner,
    recipient: [{ reference: patient }],
    payload: [{ contentString: `${practitioner.display} ${consent === undefined ? CLOSED : OPENED}` }],
  };
}
