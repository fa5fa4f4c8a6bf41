/** What follows an emergency: somebody reviews it, officers and desks hear of what is unusual, the patient is told. */
import type { Coding, Communication, Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import type { ByLanguage, Language } from '../language.ts';
import { buildNotice, type NoticeFacts } from '../notices/notice.ts';

/** Codes of `definitions/CodeSystem-task.json`. */
export const EMERGENCY_TASK = {
  review: { code: 'break-glass-review', display: 'Review of an emergency access' },
  alert: { code: 'break-glass-alert', display: 'Unusual number of emergencies' },
  ambiguous: { code: 'ambiguous-emergency', display: 'Emergency that names several persons' },
} as const;

/**
 * What a region may let emergencies do beyond normal items of records that are not closed to who declares them. None
 * opens what is private or masked, nor a record that is not shared. @see access.md Q1, Q2
 */
export const BREAK_GLASS_SETTINGS = ['reachesConfidential', 'passesBlocks'] as const;

/** One of {@link BREAK_GLASS_SETTINGS}. */
export type BreakGlassSetting = (typeof BREAK_GLASS_SETTINGS)[number];

/** The category of an emergency of whom the patient had blocked: a code of `CodeSystem-temporary-access.json`. */
export const PAST_BLOCK = 'past-block';

/** The settings of a region: what is left out is off. */
export type BreakGlassSettings = Readonly<Partial<Record<BreakGlassSetting, boolean>>>;

/**
 * The relations that one emergency may give, the one that reaches furthest last: to normal items, to confidential ones,
 * too, and to normal ones of a record that is closed to who declares it.
 */
export const EMERGENCIES = ['break-glass', 'break-glass-confidential', 'break-glass-past-block'] as const;

/** One of {@link EMERGENCIES}. */
export type EmergencyRelation = (typeof EMERGENCIES)[number];

/** Whether a relation is that of an emergency. */
export function isEmergency(relation: string | undefined): relation is EmergencyRelation {
  return EMERGENCIES.some((one) => one === relation);
}

/** Who declared it, and when (epoch milliseconds). `practitioner` is a reference. */
type Declared = { readonly id: string; readonly practitioner: string; readonly now: number };

/** The review. `patient` is absent when what was declared names nobody, or several. */
export type ReviewFacts = Declared & {
  readonly patient?: string;
  /** The Consent that opened the record, where one did. */
  readonly consent?: string;
  /** What it does beyond what every emergency does. */
  readonly beyond?: BreakGlassSetting | undefined;
  /** Code of v3-ActReason. */
  readonly reason: string;
  readonly justification: string;
};

const REVIEW_MS = 8 * 24 * 3_600_000;

/** Builds the Task of whoever reviews emergencies; it is due within eight days. */
export function buildReviewTask({ patient, consent, beyond, reason, justification, ...declared }: ReviewFacts): Task {
  return {
    ...frame('review', declared),
    description: justification,
    ...(patient === undefined ? {} : { for: { reference: patient } }),
    ...(consent === undefined ? {} : { focus: { reference: consent } }),
    reasonCode: { coding: [{ system: CODE_SYSTEM.actReason, code: reason }] },
    restriction: { period: { end: new Date(declared.now + REVIEW_MS).toISOString() } },
    ...(beyond === undefined ? {} : { input: [{ type: { coding: [BEYOND[beyond]] }, valueBoolean: true }] }),
  };
}

/** What the review says of what an emergency does beyond what every one does, as the Consent does. */
const BEYOND: Readonly<Record<BreakGlassSetting, Coding>> = {
  reachesConfidential: { system: CODE_SYSTEM.confidentiality, code: 'R', display: 'Reaches confidential items' },
  passesBlocks: {
    system: CODE_SYSTEM.temporaryAccess,
    code: PAST_BLOCK,
    display: 'The patient had blocked who declared it',
  },
};

/** What an officer decides of an emergency. */
export const VERDICTS = ['justified', 'unjustified'] as const;

/** One of {@link VERDICTS}. */
export type Verdict = (typeof VERDICTS)[number];

/** Whether a Task is the review of an emergency. */
export function isReviewTask({ code }: Task): boolean {
  return (code?.coding ?? []).some((one) => one.system === CODE_SYSTEM.task && one.code === EMERGENCY_TASK.review.code);
}

/** The review as an officer (a reference) decided it; `comment` says why. A later decision takes its place. */
export function decidedReview(
  task: Task,
  {
    verdict,
    comment,
    officer,
    now,
  }: {
    readonly verdict: Verdict;
    readonly comment: string;
    readonly officer: string;
    readonly now: number;
  },
): Task {
  return {
    ...task,
    status: 'completed',
    lastModified: new Date(now).toISOString(),
    owner: { reference: officer },
    output: [
      {
        type: { coding: [{ system: CODE_SYSTEM.emergencyVerdict, code: 'verdict' }] },
        valueCodeableConcept: { coding: [{ system: CODE_SYSTEM.emergencyVerdict, code: verdict }], text: comment },
      },
    ],
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

const OPENED: ByLanguage<string> = {
  fr: 'a déclaré une urgence et a ouvert un accès temporaire à vos examens.',
  de: 'hat einen Notfall erklärt und für eine begrenzte Zeit Zugriff auf Ihre Untersuchungen erhalten.',
  en: 'declared an emergency and opened a temporary access to your exams.',
};
const OPENED_EXAM: ByLanguage<string> = {
  fr: 'a déclaré une urgence et a ouvert un accès temporaire à un seul de vos examens.',
  de: 'hat einen Notfall erklärt und für eine begrenzte Zeit Zugriff auf eine einzelne Ihrer Untersuchungen erhalten.',
  en: 'declared an emergency and opened a temporary access to one of your exams, and to no other.',
};
const CONFIDENTIAL: ByLanguage<string> = {
  fr: 'Vos examens confidentiels en font partie ; vos examens privés restent fermés.',
  de: 'Das schließt vertrauliche Untersuchungen ein; private bleiben geschlossen.',
  en: 'Your confidential exams are among them; your private exams stay closed.',
};
const CONFIDENTIAL_EXAM: ByLanguage<string> = {
  fr: 'Il peut s’agir d’un examen confidentiel ; vos examens privés restent fermés.',
  de: 'Es kann eine vertrauliche Untersuchung sein; private bleiben geschlossen.',
  en: 'It may be a confidential one; your private exams stay closed.',
};
const ALTHOUGH_BLOCKED: ByLanguage<string> = {
  fr:
    'Cet accès est ouvert alors que vous lui aviez fermé votre dossier : dans votre région, ce blocage ne vaut pas ' +
    'en cas d’urgence. Vos examens confidentiels et privés restent fermés.',
  de:
    'Der Zugriff besteht, obwohl Sie Ihr Dossier für diese Person gesperrt hatten: In Ihrer Region gilt die Sperre ' +
    'im Notfall nicht. Vertrauliche und private Untersuchungen bleiben geschlossen.',
  en:
    'It is open although you had closed your record to them: in your region that does not hold in an emergency. ' +
    'Your confidential and private exams stay closed.',
};
const NO_EXAM: ByLanguage<string> = {
  fr: 'a déclaré une urgence pour un examen qui n’est pas dans votre dossier, ou y est masqué : rien n’a été montré.',
  de: 'hat einen Notfall für eine Untersuchung erklärt, die hier fehlt oder verborgen ist: Nichts wurde gezeigt.',
  en: 'declared an emergency for an exam that is not in your record, or is hidden there: nothing was shown.',
};
const CLOSED: ByLanguage<string> = {
  fr: 'a déclaré une urgence. Vos examens ne sont pas partagés : rien ne lui a été montré.',
  de: 'hat einen Notfall erklärt. Ihre Untersuchungen werden nicht geteilt: Es wurde nichts gezeigt.',
  en: 'declared an emergency. Your exams are not shared: nothing was shown.',
};

const BLOCKED: ByLanguage<string> = {
  fr: 'a déclaré une urgence. Vous lui avez fermé votre dossier : rien ne lui a été montré.',
  de: 'hat einen Notfall erklärt. Sie haben Ihr Dossier für diese Person gesperrt: Es wurde nichts gezeigt.',
  en: 'declared an emergency. You have closed your record to them: nothing was shown.',
};

/** What an emergency opened: the record, one exam; or why nothing, as that exam is not of the record, say. */
export type EmergencyOutcome = 'record' | 'exam' | 'no-exam' | 'blocked' | 'closed';

/** What is said after what was opened. */
const OPENED_BEYOND: Readonly<Record<'record' | 'exam', Readonly<Record<BreakGlassSetting, ByLanguage<string>>>>> = {
  record: { reachesConfidential: CONFIDENTIAL, passesBlocks: ALTHOUGH_BLOCKED },
  exam: { reachesConfidential: CONFIDENTIAL_EXAM, passesBlocks: ALTHOUGH_BLOCKED },
};

const OUTCOME: Readonly<Record<EmergencyOutcome, ByLanguage<string>>> = {
  record: OPENED,
  exam: OPENED_EXAM,
  'no-exam': NO_EXAM,
  blocked: BLOCKED,
  closed: CLOSED,
};

/**
 * Builds the notice that tells the patient who declared it, when, and what it opened, and that it passed a block of
 * hers or reaches what is confidential (`beyond`). `consent` is a reference, absent where it opened nothing.
 */
export function buildEmergencyNotice({
  consent,
  beyond,
  outcome,
  practitioner,
  ...facts
}: NoticeFacts & {
  readonly consent?: string;
  readonly beyond?: BreakGlassSetting | undefined;
  readonly outcome: EmergencyOutcome;
  readonly practitioner: { readonly reference: string; readonly display: string };
}): Communication {
  const said = OUTCOME[outcome];
  const opens = outcome === 'record' || outcome === 'exam';
  const further = opens && beyond !== undefined ? OPENED_BEYOND[outcome][beyond] : undefined;
  const of = (language: Language): string =>
    [practitioner.display, said[language], ...(further === undefined ? [] : [further[language]])].join(' ');
  return buildNotice({
    ...facts,
    kind: 'emergency',
    ...(consent === undefined ? {} : { about: [{ reference: consent }] }),
    sender: practitioner,
    text: { fr: of('fr'), de: of('de'), en: of('en') },
  });
}

const JUDGED: Readonly<Record<Verdict, (day: string) => ByLanguage<string>>> = {
  justified: (day) => ({
    fr: `L’accès en urgence à vos examens, déclaré le ${day}, a été examiné : il était justifié.`,
    de: `Der Notfallzugriff auf Ihre Untersuchungen vom ${day} wurde geprüft: Er war gerechtfertigt.`,
    en: `The emergency access to your exams of ${day} was reviewed: it was justified.`,
  }),
  unjustified: (day) => ({
    fr:
      `L’accès en urgence à vos examens, déclaré le ${day}, a été examiné : il n’était pas justifié. ` +
      'Des mesures ont été prises.',
    de:
      `Der Notfallzugriff auf Ihre Untersuchungen vom ${day} wurde geprüft: Er war nicht gerechtfertigt. ` +
      'Es wurden Maßnahmen getroffen.',
    en: `The emergency access to your exams of ${day} was reviewed: it was not justified. Measures were taken.`,
  }),
};

/** Builds the notice that tells the patient what was decided of an emergency: `task` is its review. */
export function buildVerdictNotice({
  verdict,
  task,
  ...facts
}: NoticeFacts & { readonly verdict: Verdict; readonly task: Task }): Communication {
  const { authoredOn = '', requester, focus } = task;
  return buildNotice({
    ...facts,
    kind: 'emergency-reviewed',
    ...(focus === undefined ? {} : { about: [focus] }),
    sender: requester,
    text: JUDGED[verdict](authoredOn.slice(0, 10)),
  });
}
