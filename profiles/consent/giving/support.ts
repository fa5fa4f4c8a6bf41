/**
 * A ticket of support: the Task by which somebody of the region's support asks to see items of a patient, and that
 * another person of the region confirms, and the Consent that gives them then.
 * @see access.md C7, R-64
 */
import type { Communication, Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM, IHE_PROFILE } from '../../codes.ts';
import type { ByLanguage, Language } from '../../language.ts';
import { buildNotice, type NoticeFacts } from '../../notices/notice.ts';
import { IRCP, privacyFrame, type PrivacyConsent } from '../privacy-consent.ts';
import { SUPPORT } from './support-category.ts';

/** The code of the Task, of `definitions/CodeSystem-task.json`. */
export const SUPPORT_ACCESS = { code: 'support-access', display: 'Access of support by a ticket' } as const;

/** What is decided of it: what was confirmed is ended. */
export const SUPPORT_VERDICTS = ['confirmed', 'refused', 'ended'] as const;

/** One of {@link SUPPORT_VERDICTS}. */
export type SupportVerdict = (typeof SUPPORT_VERDICTS)[number];

/** The longest time that a ticket gives. */
export const SUPPORT_MS = 24 * 3_600_000;

/** What is asked. `patient` and `practitioner` are references; times are in epoch milliseconds. */
export type SupportFacts = {
  readonly id: string;
  readonly patient: string;
  readonly practitioner: string;
  /** The identifier of the ticket at the service desk of the region. */
  readonly ticket: string;
  readonly reason: string;
  readonly until: number;
  /** One exam or report (`Type/id`); the record when absent. */
  readonly item?: string | undefined;
  readonly now: number;
};

/** Builds the Task. */
export function buildSupportTask(facts: SupportFacts): Task & { readonly id: string } {
  const { id, patient, practitioner, ticket, reason, until, item, now } = facts;
  const time = new Date(now).toISOString();
  return {
    resourceType: 'Task',
    id,
    identifier: [{ value: ticket }],
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, ...SUPPORT_ACCESS }] },
    description: reason,
    ...(item === undefined ? {} : { focus: { reference: item } }),
    for: { reference: patient },
    authoredOn: time,
    lastModified: time,
    requester: { reference: practitioner },
    restriction: { period: { end: new Date(until).toISOString() } },
  };
}

/** Whether a Task is one of these. */
export function isSupportTask({ code }: Task): boolean {
  return (code?.coding ?? []).some((one) => one.system === CODE_SYSTEM.task && one.code === SUPPORT_ACCESS.code);
}

/** Until when a ticket gives something, epoch milliseconds. */
export function endOfSupport({ restriction }: Task): number {
  return Date.parse(restriction?.period?.end ?? '');
}

/** The Consent (`Consent/id`) that a confirmed ticket came to. */
export function consentOfSupport({ output = [] }: Task): string | undefined {
  return output.flatMap(({ valueReference }) => valueReference?.reference ?? [])[0];
}

/** What `officer` (a reference) decided, and why; `consent` is what it came to (a reference). */
export type SupportDecision = {
  readonly verdict: SupportVerdict;
  readonly comment: string;
  readonly officer: string;
  readonly consent?: string;
  readonly now: number;
};

const STATUS = { confirmed: 'accepted', refused: 'rejected', ended: 'completed' } as const;

/** The Task as it is when that was decided. */
export function decidedSupport(task: Task, { verdict, comment, officer, consent, now }: SupportDecision): Task {
  const type = { coding: [{ system: CODE_SYSTEM.loinc, code: '59284-0', display: 'Consent Document' }] };
  return {
    ...task,
    status: STATUS[verdict],
    statusReason: { text: comment },
    lastModified: new Date(now).toISOString(),
    owner: { reference: officer },
    ...(consent === undefined ? {} : { output: [{ type, valueReference: { reference: consent } }] }),
  };
}

/** The Task as it is when what it gave has ended and nobody decided it: its time is over, or the patient ended it. */
export function endedSupport(task: Task, now: number): Task {
  return { ...task, status: STATUS.ended, lastModified: new Date(now).toISOString() };
}

/** Builds the Consent of a ticket that `officer` (a reference) confirmed at a moment; its purpose is none of Basic. */
export function buildSupportConsent(
  task: Task,
  { id, patient, officer, now }: { id: string; patient: string; officer: string; now: number },
): PrivacyConsent {
  const title = `Assistance technique (ticket ${task.identifier?.[0]?.value ?? ''})`;
  const { focus, requester } = task;
  return {
    ...privacyFrame({ id, patient, dateTime: now, policy: 'basic-normal', title }, SUPPORT),
    meta: { profile: [IHE_PROFILE.consentIntermediate] },
    performer: [{ reference: officer }],
    provision: {
      type: 'permit',
      period: { start: new Date(now).toISOString(), end: new Date(endOfSupport(task)).toISOString() },
      actor: [{ role: IRCP, reference: requester ?? {} }],
      purpose: [{ system: CODE_SYSTEM.actReason, code: 'HSYSADMIN' }],
      ...(focus === undefined ? {} : { data: [{ meaning: 'instance' as const, reference: focus }] }),
    },
  };
}

/**
 * Builds the notice that tells the patient who of the support may see something of hers, and until when, told in a zone
 * (IANA). `consent` is a reference.
 */
export function buildSupportNotice({
  consent,
  practitioner,
  task,
  timeZone,
  ...facts
}: NoticeFacts & {
  readonly consent: string;
  readonly practitioner: { readonly reference: string; readonly display: string };
  readonly task: Task;
  readonly timeZone: string;
}): Communication {
  const { display } = practitioner;
  const end = (language: Language): string =>
    new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone }).format(endOfSupport(task));
  const said = task.focus === undefined ? RECORD : ITEM;
  return buildNotice({
    ...facts,
    kind: 'correspondent',
    about: [{ reference: consent }],
    sender: practitioner,
    text: {
      fr: `${said.fr} ${end('fr')} : ${display}.`,
      de: `${said.de} ${end('de')}: ${display}.`,
      en: `${said.en} ${end('en')}: ${display}.`,
    },
  });
}

const RECORD: ByLanguage<string> = {
  fr: 'Pour résoudre un incident (ticket), l’assistance technique peut consulter votre dossier jusqu’au',
  de: 'Um eine Störung zu beheben (Ticket), kann der technische Support Ihre Akte einsehen, bis',
  en: 'To solve an incident (ticket), technical support may read your record until',
};
const ITEM: ByLanguage<string> = {
  fr: 'Pour résoudre un incident (ticket), l’assistance technique peut consulter un élément de votre dossier jusqu’au',
  de: 'Um eine Störung zu beheben (Ticket), kann der technische Support einen Teil Ihrer Akte einsehen, bis',
  en: 'To solve an incident (ticket), technical support may read one item of your record until',
};
