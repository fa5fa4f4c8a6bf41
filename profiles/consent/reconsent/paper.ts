/**
 * The end of a withdrawal or an opposition that a patient signed on paper: the Task by which one person of the region's
 * desk records it and another confirms it, the Consent that it comes to, and the Provenance of who verified it.
 * @see access.md C10
 */
import type { Attachment, Practitioner, Provenance, Reference, Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../codes.ts';
import { buildConsentChange, type PrivacyConsent } from '../privacy-consent.ts';

/** The code of the Task, of `definitions/CodeSystem-task.json`. */
export const PAPER_RECONSENT = { code: 'paper-reconsent', display: 'Share again, on paper' } as const;

/** What the second person says of it. */
export const PAPER_VERDICTS = ['confirmed', 'refused'] as const;

/** One of {@link PAPER_VERDICTS}. */
export type PaperVerdict = (typeof PAPER_VERDICTS)[number];

/** LOINC: what a paper is by which somebody lets others see what is hers. */
const RELEASE_OF_INFORMATION = {
  system: CODE_SYSTEM.loinc,
  code: '64292-6',
  display: 'Release of information consent',
} as const;

/** The signed paper, as `Consent.sourceAttachment` has it: where it is, or the title under which it is kept. */
export type Paper = Attachment;

/** What the first person records. `patient` and `officer` are references; `now` is in epoch milliseconds. */
export type PaperFacts = {
  readonly id: string;
  readonly patient: string;
  readonly officer: string;
  readonly paper: Paper;
  /** How it was checked who signed. */
  readonly identity: string;
  readonly now: number;
};

/** Builds the Task. */
export function buildPaperTask({ id, patient, officer, paper, identity, now }: PaperFacts): Task & { id: string } {
  const time = new Date(now).toISOString();
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, ...PAPER_RECONSENT }] },
    for: { reference: patient },
    authoredOn: time,
    lastModified: time,
    requester: { reference: officer },
    note: [{ authorReference: { reference: officer }, time, text: identity }],
    input: [{ type: { coding: [RELEASE_OF_INFORMATION] }, valueAttachment: paper }],
  };
}

/** Whether a Task is one of these. */
export function isPaperTask({ code }: Task): boolean {
  return (code?.coding ?? []).some((one) => one.system === CODE_SYSTEM.task && one.code === PAPER_RECONSENT.code);
}

/** What the second person (`officer`, a reference) decided, and why; `consent` is what it came to (a reference). */
export type PaperDecision = {
  readonly verdict: PaperVerdict;
  readonly comment: string;
  readonly officer: string;
  readonly consent?: string;
  readonly now: number;
};

/** The Task as it is when that was decided. */
export function decidedPaper(task: Task, { verdict, comment, officer, consent, now }: PaperDecision): Task {
  return {
    ...task,
    status: verdict === 'confirmed' ? 'completed' : 'rejected',
    statusReason: { text: comment },
    lastModified: new Date(now).toISOString(),
    owner: { reference: officer },
    ...(consent === undefined ? {} : { focus: { reference: consent } }),
  };
}

/** The Task as it is when nothing stands any more that the paper ends, and nobody decided it. */
export function closedPaper(task: Task, now: number): Task {
  return { ...task, status: 'cancelled', lastModified: new Date(now).toISOString() };
}

/**
 * Builds the Consent that a confirmed paper comes to: `active`, or `proposed` while another withdrawal stands. As PCF
 * has no verification, it claims none of its profiles.
 */
export function buildPaperConsent(
  task: Task,
  { id, patient, isShared, now }: { id: string; patient: string; isShared: boolean; now: number },
): PrivacyConsent {
  const said = buildConsentChange({ id, patient, change: 'reconsent', now });
  const { meta: _profile, ...consent } = said;
  return {
    ...consent,
    status: isShared ? 'active' : 'proposed',
    sourceAttachment: paperOf(task),
    verification: [
      { verified: true, verifiedWith: { reference: patient }, verificationDate: new Date(now).toISOString() },
    ],
  };
}

function paperOf({ input = [] }: Task): Paper {
  return input[0]?.valueAttachment ?? {};
}

/**
 * Builds the Provenance of that Consent: who recorded the paper, who verified it, and when. `task` is as it was
 * decided, with its id.
 * @see https://hl7.org/fhir/R4/provenance.html
 */
export function buildPaperProvenance(id: string, task: Task): Provenance & { id: string } {
  const { focus, requester, lastModified = '' } = task;
  const owner = task.owner as Reference<Practitioner> | undefined;
  return {
    resourceType: 'Provenance',
    id,
    target: focus === undefined ? [] : [focus],
    recorded: lastModified,
    agent: [
      { type: { coding: [participant('enterer', 'Enterer')] }, who: requester ?? {} },
      { type: { coding: [participant('verifier', 'Verifier')] }, who: owner ?? {} },
    ],
    entity: [{ role: 'source', what: { reference: `Task/${task.id}` } }],
  };
}

function participant(code: string, display: string) {
  return { system: CODE_SYSTEM.participantType, code, display };
}
