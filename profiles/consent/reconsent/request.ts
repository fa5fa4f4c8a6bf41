/** What an establishment was told of the end of a withdrawal that is the patient's own: she confirms it, or nothing. */
import type { Communication, Task } from '@medplum/fhirtypes';
import type { ByLanguage } from '../../language.ts';
import { buildNotice, type NoticeFacts } from '../../notices/notice.ts';

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

const ASKED: ByLanguage<string> = {
  fr:
    'Un établissement a noté que vous souhaitez de nouveau partager vos examens. ' +
    'Rien ne change sans votre accord.',
  de:
    'Eine Einrichtung hat festgehalten, dass Sie Ihre Untersuchungen wieder teilen möchten. ' +
    'Ohne Ihre Zustimmung ändert sich nichts.',
  en: 'An establishment noted that you want to share your exams again. Nothing changes without your consent.',
};

/** Builds the notice that tells her of it: `task` is the request (a reference). */
export function buildRequestNotice({ task, ...facts }: NoticeFacts & { readonly task: string }): Communication {
  return buildNotice({ ...facts, kind: 'reconsent-request', about: [{ reference: task }], text: ASKED });
}
