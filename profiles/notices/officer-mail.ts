/**
 * What officers are mailed of a Task that waits for them. Its kind, a language and the address of the server are all
 * that goes into it: no patient, no professional, no justification.
 */
import type { Task } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import { subjectRightOf } from '../consent/data-subject-request.ts';
import { isRecipientTask } from '../consent/erasure-recipient.ts';
import { isPaperTask } from '../consent/reconsent/paper.ts';
import { isSupportTask } from '../consent/giving/support.ts';
import { isPurgeTask } from '../identity/joined-purge.ts';
import { EMERGENCY_TASK } from '../consent/emergency.ts';
import type { ByLanguage, Language } from '../language.ts';
import type { MailText } from './mail-text.ts';

/** Kinds of Tasks that officers are mailed about at once. */
export type OfficerAlert = EmergencyAlert | 'request' | 'erased' | 'joined' | 'paper' | 'support';

type EmergencyAlert = Extract<keyof typeof EMERGENCY_TASK, 'review' | 'alert'>;

const TEXTS: Readonly<Record<OfficerAlert, ByLanguage<MailText>>> = {
  review: {
    fr: {
      subject: 'Un accès en urgence est à examiner',
      text: 'Un accès en urgence a été déclaré. Son examen vous attend (break-glass-review) :',
    },
    de: {
      subject: 'Ein Notfallzugriff ist zu prüfen',
      text: 'Ein Notfallzugriff wurde erklärt. Seine Prüfung wartet auf Sie (break-glass-review):',
    },
    en: {
      subject: 'An emergency access is to be reviewed',
      text: 'An emergency access was declared. Its review waits for you (break-glass-review):',
    },
  },
  alert: {
    fr: {
      subject: 'Alerte : nombre inhabituel d’accès en urgence',
      text: 'Un même professionnel a déclaré un nombre inhabituel d’urgences en 24 heures (break-glass-alert) :',
    },
    de: {
      subject: 'Alarm: ungewöhnlich viele Notfallzugriffe',
      text: 'Eine Fachperson hat in 24 Stunden ungewöhnlich viele Notfälle erklärt (break-glass-alert):',
    },
    en: {
      subject: 'Alert: an unusual number of emergency accesses',
      text: 'One professional declared an unusual number of emergencies within 24 hours (break-glass-alert):',
    },
  },
  request: {
    fr: {
      subject: 'Une demande sur des données personnelles vous attend',
      text: 'Un patient exerce un droit sur ses données. La réponse est due dans un mois :',
    },
    de: {
      subject: 'Ein Antrag zu personenbezogenen Daten wartet auf Sie',
      text: 'Ein Patient übt ein Recht an seinen Daten aus. Die Antwort ist in einem Monat fällig:',
    },
    en: {
      subject: 'A request about personal data waits for you',
      text: 'A patient exercises a right to her data. The answer is due within a month:',
    },
  },
  erased: {
    fr: {
      subject: 'Un effacement vous concerne',
      text: 'Des données d’une personne dont le dossier est effacé vous ont été transmises (erasure-recipient) :',
    },
    de: {
      subject: 'Eine Löschung betrifft Sie',
      text: 'Sie haben Daten einer Person erhalten, deren Akte gelöscht ist (erasure-recipient):',
    },
    en: {
      subject: 'An erasure concerns you',
      text: 'You were given data of a person whose record is erased (erasure-recipient):',
    },
  },
  joined: {
    fr: {
      subject: 'Un rapprochement d’identités est à confirmer',
      text: 'Une identité rejoint un dossier qui ne reçoit plus rien (joined-purge). Réponse sous 44 jours :',
    },
    de: {
      subject: 'Eine Zusammenführung ist zu bestätigen',
      text: 'Eine Identität kam zu einer Akte, die nichts mehr aufnimmt (joined-purge). Antwort binnen 44 Tagen:',
    },
    en: {
      subject: 'A join of identities is to be confirmed',
      text: 'An identity was joined to a record that takes nothing any more (joined-purge). Answer within 44 days:',
    },
  },
  support: {
    fr: {
      subject: 'Une demande de l’assistance technique attend',
      text: 'L’assistance technique demande un accès pour un ticket. Une autre personne confirme (support-access) :',
    },
    de: {
      subject: 'Eine Anfrage des technischen Supports wartet',
      text: 'Der technische Support bittet für ein Ticket um Zugriff. Jemand anderes bestätigt (support-access):',
    },
    en: {
      subject: 'A request of technical support waits',
      text: 'Technical support asks for access for a ticket. Another person confirms it (support-access):',
    },
  },
  paper: {
    fr: {
      subject: 'Un papier signé est à confirmer',
      text: 'Un patient partage de nouveau ses examens, sur papier. Une seconde personne confirme (paper-reconsent) :',
    },
    de: {
      subject: 'Ein unterschriebenes Papier ist zu bestätigen',
      text: 'Ein Patient gibt seine Untersuchungen auf Papier wieder frei. Jemand bestätigt es (paper-reconsent):',
    },
    en: {
      subject: 'A signed paper is to be confirmed',
      text: 'A patient shares her exams again, on paper. A second person confirms it (paper-reconsent):',
    },
  },
};

/** The kind of a Task that officers are mailed about; undefined of any other. */
export function officerAlertOf(task: Task): OfficerAlert | undefined {
  if (subjectRightOf(task) !== undefined) return 'request';
  if (isRecipientTask(task)) return 'erased';
  if (isPurgeTask(task)) return 'joined';
  if (isPaperTask(task)) return 'paper';
  if (isSupportTask(task)) return 'support';
  const codes = (task.code?.coding ?? []).filter(({ system }) => system === CODE_SYSTEM.task).map((one) => one.code);
  const kinds: readonly EmergencyAlert[] = ['review', 'alert'];
  return kinds.find((kind) => codes.includes(EMERGENCY_TASK[kind].code));
}

/** Writes the mail; `site` is the address of the server: scheme, host and port. */
export function officerMailOf(alert: OfficerAlert, language: Language, site: string): MailText {
  const { subject, text } = TEXTS[alert][language];
  return { subject, text: `${text}\n\n${site}\n` };
}
