/** The request to erase a record: a Task that says until when, and what the patient is told of it. */
import type { Communication, Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import type { ByLanguage, Language } from '../language.ts';
import { buildNotice, type NoticeFacts } from '../notices/notice.ts';

/** The code of the request, of `definitions/CodeSystem-task.json`. */
export const ERASURE_TASK = { code: 'erasure', display: 'Erasure of a record' } as const;

/** Days from the receipt of a request to the erasure, at most. */
export const MOST_ERASURE_DAYS = 45;

/** Days from the receipt to when it begins at the latest: the last one is for what fails at first. */
const MOST_DAYS_TO_BEGIN = MOST_ERASURE_DAYS - 1;

const DAY_MS = 24 * 3_600_000;

/** A request. References: `requester` is the establishment that received it, or the patient herself. */
export type ErasureRequest = {
  readonly id: string;
  readonly patient: string;
  readonly requester: string;
  /** Epoch milliseconds of its receipt. */
  readonly now: number;
  /** Days until the erasure, 45 at most. */
  readonly days: number;
};

/** Builds the Task; `restriction.period.end` is when everything is erased at the latest. */
export function buildErasureTask({ id, patient, requester, now, days }: ErasureRequest): Task {
  const end = now + days * DAY_MS;
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, ...ERASURE_TASK }] },
    for: { reference: patient },
    authoredOn: new Date(now).toISOString(),
    lastModified: new Date(now).toISOString(),
    requester: { reference: requester },
    restriction: { period: { start: new Date(now).toISOString(), end: new Date(end).toISOString() } },
  };
}

/** Whether a Task is such a request. */
export function isErasureTask({ code }: Task): boolean {
  return (code?.coding ?? []).some(({ system, code: one }) => system === CODE_SYSTEM.task && one === ERASURE_TASK.code);
}

/** By when everything is to be erased, epoch milliseconds. */
export function erasureDayOf({ restriction }: Task): number {
  return Date.parse(restriction?.period?.end ?? '');
}

/** When the erasure begins, epoch milliseconds: on its day, which is kept whatever a server was told of days. */
export function erasureBegins(task: Task): number {
  const latest = Date.parse(task.authoredOn ?? '') + MOST_DAYS_TO_BEGIN * DAY_MS;
  const day = erasureDayOf(task);
  return Number.isNaN(day) ? latest : Math.min(day, latest);
}

/** The request whose day has come: nobody cancels it any more. */
export function begunErasure(task: Task, now: number): Task {
  return { ...task, status: 'in-progress', lastModified: new Date(now).toISOString() };
}

/**
 * The request when nothing is left of her: it says that it was done, and not for whom, and bears the certificate (a
 * compact JWS).
 */
export function endedErasure({ for: _for, requester, ...task }: Task, now: number, certificate?: string): Task {
  const isHers = requester?.reference?.startsWith('Patient/') !== false;
  const output = [{ type: { text: 'Certificate (JWS, ES384)' }, valueString: certificate ?? '' }];
  return {
    ...task,
    ...(certificate === undefined ? {} : { output }),
    ...(isHers ? {} : { requester }),
    status: 'completed',
    lastModified: new Date(now).toISOString(),
  };
}

/** The request as it was cancelled. */
export function cancelledErasure(task: Task, now: number): Task {
  return { ...task, status: 'cancelled', lastModified: new Date(now).toISOString() };
}

/** Builds the notice that tells her of a request, or of its end; `timeZone` (IANA) is the one of its day. */
export function buildErasureNotice({
  task,
  timeZone,
  ...facts
}: NoticeFacts & { readonly task: Task; readonly timeZone: string }): Communication {
  const about = [{ reference: `Task/${task.id}` }];
  if (task.status === 'cancelled') return buildNotice({ ...facts, kind: 'erasure-cancelled', about, text: CANCELLED });
  const end = new Date(erasureDayOf(task));
  const day = (language: Language): string =>
    new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone }).format(end);
  const text = { fr: REQUESTED.fr(day('fr')), de: REQUESTED.de(day('de')), en: REQUESTED.en(day('en')) };
  return buildNotice({ ...facts, kind: 'erasure-requested', about, text });
}

const REQUESTED: ByLanguage<(day: string) => string> = {
  fr: (day) =>
    'La demande d’effacement de votre dossier est enregistrée. ' +
    'Vos examens ne sont plus visibles, ni pour vous ni pour les professionnels. ' +
    `Ils seront effacés définitivement le ${day} au plus tard. Jusque-là, vous pouvez annuler cette demande.`,
  de: (day) =>
    'Der Antrag auf Löschung Ihrer Akte ist eingetragen. ' +
    'Ihre Untersuchungen sind nicht mehr sichtbar, weder für Sie noch für Fachpersonen. ' +
    `Sie werden spätestens am ${day} endgültig gelöscht. Bis dahin können Sie den Antrag zurücknehmen.`,
  en: (day) =>
    'The request to erase your record is registered. ' +
    'Your exams are no longer visible, neither to you nor to professionals. ' +
    `They will be erased for good by ${day} at the latest. Until then you can cancel this request.`,
};

const CANCELLED: ByLanguage<string> = {
  fr:
    'La demande d’effacement de votre dossier est annulée. ' +
    'Vos examens sont de nouveau visibles, comme avant la demande.',
  de:
    'Der Antrag auf Löschung Ihrer Akte ist zurückgenommen. ' +
    'Ihre Untersuchungen sind wieder sichtbar wie vor dem Antrag.',
  en: 'The request to erase your record is cancelled. Your exams are visible again, as before the request.',
};
