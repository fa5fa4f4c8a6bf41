/**
 * What a patient asks about her data (GDPR 15, 16, 18, 20 and 21; erasure is in erasure-request.ts): a Task with its
 * deadline, what a data protection officer decides of it, and what she is told.
 */
import type { Communication, Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import type { ByLanguage, Language } from '../language.ts';
import { buildNotice, type NoticeFacts } from '../notices/notice.ts';
import type { RegionRole } from '../region-role.ts';
import { spanOf } from './time-span.ts';

/** Rights by the codes of their Tasks, of `definitions/CodeSystem-task.json`. */
export const SUBJECT_REQUESTS = {
  access: 'Access to one’s data',
  rectification: 'Rectification of data',
  restriction: 'Restriction of processing',
  portability: 'Portability of data',
  objection: 'Objection to processing',
} as const;

/** One of {@link SUBJECT_REQUESTS}. */
export type SubjectRight = keyof typeof SUBJECT_REQUESTS;

/** All of them. */
export const SUBJECT_RIGHTS = Object.keys(SUBJECT_REQUESTS) as readonly SubjectRight[];

/**
 * What an officer decides of a request; `extended` is a longer deadline, and `lifted` the end of a restriction that was
 * granted. Codes of `CodeSystem-request-verdict`.
 */
export const REQUEST_VERDICTS = ['granted', 'refused', 'extended', 'lifted'] as const;

/** One of {@link REQUEST_VERDICTS}. */
export type RequestVerdict = (typeof REQUEST_VERDICTS)[number];

/** A request. References: `requester` is the establishment that received it, or the patient herself. */
export type SubjectRequest = {
  readonly id: string;
  readonly right: SubjectRight;
  readonly patient: string;
  readonly requester: string;
  /** Whose officer answers it (`Organization/id`); the region's where there is none. */
  readonly organization?: string | undefined;
  /** In her own words. */
  readonly detail?: string | undefined;
  /** Epoch milliseconds of its receipt. */
  readonly now: number;
  /** IANA zone in which the days of the deadline end. */
  readonly timeZone: string;
};

/** Months until the answer, and how many more there may be. @see GDPR 12 (3) */
const ANSWER_MONTHS = 1;
const FURTHER_MONTHS = 2;
/** Days for which a restriction stands once she was told that it is lifted. @see GDPR 18 (3) */
const LIFTING_DAYS = 7;

/** Builds the Task; `restriction.period.end` is until when it is answered. */
export function buildSubjectRequest(request: SubjectRequest): Task {
  const { id, right, patient, requester, organization, detail, now, timeZone } = request;
  const office: RegionRole = organization === undefined ? 'region-dpo' : 'establishment-dpo';
  const start = new Date(now).toISOString();
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: CODE_SYSTEM.task, code: right, display: SUBJECT_REQUESTS[right] }] },
    ...(detail === undefined ? {} : { description: detail }),
    for: { reference: patient },
    authoredOn: start,
    lastModified: start,
    requester: { reference: requester },
    performerType: [{ coding: [{ system: CODE_SYSTEM.regionRole, code: office }] }],
    ...(organization === undefined ? {} : { owner: { reference: organization } }),
    restriction: { period: { start, end: monthsAfter(now, ANSWER_MONTHS, timeZone) } },
  };
}

/** The right that a Task is about; undefined of any other Task. */
export function subjectRightOf({ code }: Task): SubjectRight | undefined {
  const codes = (code?.coding ?? []).filter(({ system }) => system === CODE_SYSTEM.task).map((one) => one.code);
  return SUBJECT_RIGHTS.find((right) => codes.includes(right));
}

/** What an officer (a reference) decided, and why; `now` in epoch milliseconds. */
export type RequestDecision = {
  readonly verdict: RequestVerdict;
  readonly comment: string;
  readonly officer: string;
  readonly now: number;
  readonly timeZone: string;
};

const STATUS: Readonly<Record<RequestVerdict, Task['status']>> = {
  granted: 'completed',
  refused: 'rejected',
  extended: 'requested',
  lifted: 'completed',
};

/**
 * The request as it was decided; a later decision takes the place of an earlier one. `executionPeriod` of a restriction
 * is since when it is granted, and when it ends.
 */
export function decidedRequest(task: Task, { verdict, comment, officer, now, timeZone }: RequestDecision): Task {
  const start = task.restriction?.period?.start ?? '';
  const longer = { start, end: monthsAfter(Date.parse(start), ANSWER_MONTHS + FURTHER_MONTHS, timeZone) };
  return {
    ...task,
    status: STATUS[verdict],
    lastModified: new Date(now).toISOString(),
    ...executionOf(task, verdict, now, timeZone),
    // Who takes more time answers later: the request waits where it was.
    ...(verdict === 'extended' ? { restriction: { period: longer } } : { owner: { reference: officer } }),
    output: [
      {
        type: { coding: [{ system: CODE_SYSTEM.requestVerdict, code: 'verdict' }] },
        valueCodeableConcept: { coding: [{ system: CODE_SYSTEM.requestVerdict, code: verdict }], text: comment },
      },
    ],
  };
}

function executionOf(
  task: Task,
  verdict: RequestVerdict,
  now: number,
  timeZone: string,
): Pick<Task, 'executionPeriod'> {
  if (subjectRightOf(task) !== 'restriction') return {};
  if (verdict === 'granted') return { executionPeriod: { start: new Date(now).toISOString() } };
  const start = restrictedSince(task);
  const isLifted = verdict === 'lifted' && start !== undefined;
  return isLifted ? { executionPeriod: { start, end: daysAfter(now, LIFTING_DAYS, timeZone) } } : {};
}

/** Since when a restriction is granted, an instant; undefined of any other request. */
function restrictedSince(task: Task): string | undefined {
  if (task.status !== 'completed' || subjectRightOf(task) !== 'restriction') return undefined;
  // Earlier servers had no period: the grant was the last that they changed.
  return task.executionPeriod?.start ?? task.lastModified;
}

/**
 * Since when a restriction is in force and until when it is (epoch milliseconds, inclusive), `to` being Infinity until
 * it is lifted; undefined of what was not granted, or is no restriction.
 */
export function restrictionTime(task: Task): { readonly from: number; readonly to: number } | undefined {
  const from = Date.parse(restrictedSince(task) ?? '');
  const end = task.executionPeriod?.end;
  return Number.isNaN(from) ? undefined : { from, to: end === undefined ? Infinity : Date.parse(end) };
}

/** Whether more time may be taken: once, before the deadline, of a request that waits. @see GDPR 12 (3) */
export function mayExtend({ status, restriction, output }: Task, now: number): boolean {
  return status === 'requested' && output === undefined && now < Date.parse(restriction?.period?.end ?? '');
}

/**
 * The last moment of the same day so many months later, in the zone; of a month that is shorter, of its last day.
 * @see Regulation (EEC, Euratom) No 1182/71, Article 3
 */
function monthsAfter(at: number, months: number, timeZone: string): string {
  const local = dayOf(at, timeZone);
  const [year, month] = [local.getUTCFullYear(), local.getUTCMonth() + months];
  const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return endOf(Date.UTC(year, month, Math.min(days, local.getUTCDate())), timeZone);
}

/** The last moment of the day so many days later, in the zone. */
function daysAfter(at: number, days: number, timeZone: string): string {
  const local = dayOf(at, timeZone);
  return endOf(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate() + days), timeZone);
}

/** The day of a moment in a zone, as 00:00 of that day in UTC. */
function dayOf(at: number, timeZone: string): Date {
  // A day as Swedes write it is one of ISO 8601.
  return new Date(new Intl.DateTimeFormat('sv-SE', { timeZone }).format(at));
}

/** The last moment in a zone of a day, which is said as 00:00 of it in UTC. */
function endOf(midnight: number, timeZone: string): string {
  const day = new Date(midnight).toISOString().slice(0, 10);
  return new Date((spanOf({ end: day }, timeZone)?.to ?? midnight) - 1).toISOString();
}

/** Builds the notice of a request that was received, or of what was decided of it. */
export function buildSubjectNotice({
  task,
  timeZone,
  ...facts
}: NoticeFacts & { readonly task: Task; readonly timeZone: string }): Communication {
  const about = [{ reference: `Task/${task.id}` }];
  const right = subjectRightOf(task) ?? 'access';
  const verdict = task.output?.[0]?.valueCodeableConcept?.coding?.[0]?.code ?? '';
  const { end: due } = (verdict === 'lifted' ? task.executionPeriod : task.restriction?.period) ?? {};
  const end = new Date(due ?? facts.now);
  const day = (language: Language): string =>
    new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone }).format(end);
  const said: ByLanguage<Sentence> = isVerdict(verdict) ? DECIDED[verdict] : RECEIVED;
  const of = (language: Language): string => said[language](NAMES[right][language], day(language));
  const text = { fr: of('fr'), de: of('de'), en: of('en') };
  return buildNotice({ ...facts, kind: isVerdict(verdict) ? 'request-decided' : 'request-received', about, text });
}

function isVerdict(code: string): code is RequestVerdict {
  return REQUEST_VERDICTS.some((verdict) => verdict === code);
}

type Sentence = (right: string, day: string) => string;

const NAMES: Readonly<Record<SubjectRight, ByLanguage<string>>> = {
  access: { fr: 'd’accès à vos données', de: 'auf Auskunft über Ihre Daten', en: 'for access to your data' },
  rectification: {
    fr: 'de rectification de vos données',
    de: 'auf Berichtigung Ihrer Daten',
    en: 'for rectification of your data',
  },
  restriction: {
    fr: 'de limitation du traitement de vos données',
    de: 'auf Einschränkung der Verarbeitung Ihrer Daten',
    en: 'for restriction of the processing of your data',
  },
  portability: {
    fr: 'de portabilité de vos données',
    de: 'auf Übertragung Ihrer Daten',
    en: 'for portability of your data',
  },
  objection: {
    fr: 'd’opposition au traitement de vos données',
    de: 'auf Widerspruch gegen die Verarbeitung Ihrer Daten',
    en: 'to object to the processing of your data',
  },
};

const RECEIVED: ByLanguage<Sentence> = {
  fr: (right, day) =>
    `Votre demande ${right} est enregistrée. ` +
    `Le délégué à la protection des données vous répondra le ${day} au plus tard.`,
  de: (right, day) =>
    `Ihr Antrag ${right} ist eingetragen. Die oder der Datenschutzbeauftragte antwortet Ihnen bis spätestens ${day}.`,
  en: (right, day) =>
    `Your request ${right} is registered. The data protection officer will answer you by ${day} at the latest.`,
};

const DECIDED: Readonly<Record<RequestVerdict, ByLanguage<Sentence>>> = {
  granted: {
    fr: (right) => `Votre demande ${right} est acceptée. La réponse se trouve dans votre demande.`,
    de: (right) => `Ihrem Antrag ${right} wurde stattgegeben. Die Antwort steht in Ihrem Antrag.`,
    en: (right) => `Your request ${right} is granted. The answer is in your request.`,
  },
  refused: {
    fr: (right) =>
      `Votre demande ${right} est refusée. Les raisons se trouvent dans votre demande. ` +
      'Vous pouvez déposer une réclamation auprès de l’autorité de protection des données ou saisir un tribunal.',
    de: (right) =>
      `Ihr Antrag ${right} wurde abgelehnt. Die Gründe stehen in Ihrem Antrag. ` +
      'Sie können sich bei der Datenschutzbehörde beschweren oder ein Gericht anrufen.',
    en: (right) =>
      `Your request ${right} is refused. The reasons are in your request. ` +
      'You can complain to the data protection authority, or go to court.',
  },
  extended: {
    fr: (right, day) =>
      `La réponse à votre demande ${right} demande plus de temps : vous la recevrez le ${day} au plus tard. ` +
      'Les raisons se trouvent dans votre demande.',
    de: (right, day) =>
      `Die Antwort auf Ihren Antrag ${right} braucht mehr Zeit: Sie erhalten sie bis spätestens ${day}. ` +
      'Die Gründe stehen in Ihrem Antrag.',
    en: (right, day) =>
      `The answer to your request ${right} takes more time: you will have it by ${day} at the latest. ` +
      'The reasons are in your request.',
  },
  lifted: {
    fr: (right, day) =>
      `Vous aviez fait une demande ${right}, qui a été acceptée. La limitation reste en vigueur jusqu’au ${day} ` +
      'inclus, puis elle est levée. Les raisons se trouvent dans votre demande. ' +
      'Vous pouvez déposer une réclamation auprès de l’autorité de protection des données ou saisir un tribunal.',
    de: (right, day) =>
      `Ihrem Antrag ${right} wurde früher stattgegeben. Die Einschränkung gilt noch bis einschließlich ${day} und ` +
      'wird danach aufgehoben. Die Gründe stehen in Ihrem Antrag. ' +
      'Sie können sich bei der Datenschutzbehörde beschweren oder ein Gericht anrufen.',
    en: (right, day) =>
      `Your request ${right} had been granted. The restriction stays in force until the end of ${day}; it is then ` +
      'lifted. The reasons are in your request. ' +
      'You can complain to the data protection authority, or go to court.',
  },
};
