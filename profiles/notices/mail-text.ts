/**
 * What is mailed of a notice. Its kind, a language and the address of the server are all that goes into it: there is no
 * room for a name, an exam, an establishment or a date.
 */
import type { ByLanguage, Language } from '../language.ts';
import type { NoticeKind } from './notice.ts';

/** A mail's subject and text. */
export type MailText = { readonly subject: string; readonly text: string };

/** Others read it over her shoulder: it says nothing of why. */
const SUBJECT: ByLanguage<string> = {
  fr: 'Vous avez un nouveau message',
  de: 'Sie haben eine neue Nachricht',
  en: 'You have a new message',
};

const GREETING: ByLanguage<string> = { fr: 'Bonjour,', de: 'Guten Tag,', en: 'Hello,' };

const SENTENCE: Readonly<Record<NoticeKind, ByLanguage<string>>> = {
  emergency: {
    fr: 'Un professionnel de santé a déclaré une urgence pour consulter votre dossier.',
    de: 'Eine medizinische Fachperson hat einen Notfall erklärt, um Ihre Akte einzusehen.',
    en: 'A health professional declared an emergency to look at your record.',
  },
  'emergency-reviewed': {
    fr: 'Un accès en urgence à votre dossier a été vérifié.',
    de: 'Ein Notfallzugriff auf Ihre Akte wurde geprüft.',
    en: 'An emergency access to your record was reviewed.',
  },
  'new-document': {
    fr: 'Un nouveau document est disponible dans votre dossier.',
    de: 'In Ihrer Akte steht ein neues Dokument bereit.',
    en: 'A new document is available in your record.',
  },
  'imaging-service': {
    fr: 'Un nouveau service peut consulter votre dossier.',
    de: 'Ein weiterer Dienst kann Ihre Akte einsehen.',
    en: 'A new service may read your record.',
  },
  stay: {
    fr: 'Une équipe de soins peut consulter votre dossier.',
    de: 'Ein Behandlungsteam kann Ihre Akte einsehen.',
    en: 'A care team may read your record.',
  },
  correspondent: {
    fr: 'Un correspondant de plus peut consulter votre dossier.',
    de: 'Eine weitere Fachperson kann Ihre Akte einsehen.',
    en: 'A further correspondent may read your record.',
  },
  representative: {
    fr: 'Un représentant légal peut consulter votre dossier.',
    de: 'Eine gesetzliche Vertretung kann Ihre Akte einsehen.',
    en: 'A legal representative may read your record.',
  },
  majority: {
    fr: 'Vous pouvez désormais ouvrir vous-même votre dossier.',
    de: 'Sie können Ihre Akte ab jetzt selbst öffnen.',
    en: 'You may now open your record yourself.',
  },
  block: {
    fr: 'Un blocage de votre dossier a été enregistré.',
    de: 'Eine Sperre Ihrer Akte wurde eingetragen.',
    en: 'A block of your record was recorded.',
  },
  'block-ended': {
    fr: 'Un blocage de votre dossier a pris fin.',
    de: 'Eine Sperre Ihrer Akte ist beendet.',
    en: 'A block of your record has ended.',
  },
  withdrawal: {
    fr: 'Le partage de votre dossier est arrêté : un retrait a été enregistré.',
    de: 'Ihre Akte wird nicht mehr geteilt: Ein Widerruf wurde eingetragen.',
    en: 'Your record is shared no more: a withdrawal was recorded.',
  },
  opposition: {
    fr: 'Le partage de votre dossier est arrêté : une opposition a été enregistrée.',
    de: 'Ihre Akte wird nicht mehr geteilt: Ein Widerspruch wurde eingetragen.',
    en: 'Your record is shared no more: an opposition was recorded.',
  },
  reconsent: {
    fr: 'Une décision de partager de nouveau votre dossier a été enregistrée.',
    de: 'Die Entscheidung, Ihre Akte wieder zu teilen, wurde eingetragen.',
    en: 'A decision to share your record again was recorded.',
  },
  'reconsent-request': {
    fr: 'Un établissement vous demande si vous souhaitez de nouveau partager votre dossier.',
    de: 'Eine Einrichtung fragt Sie, ob Sie Ihre Akte wieder teilen möchten.',
    en: 'An establishment asks whether you want to share your record again.',
  },
  'report-error': {
    fr: 'Un document de votre dossier a été retiré par l’établissement qui l’avait envoyé.',
    de: 'Ein Dokument Ihrer Akte wurde von der Einrichtung zurückgezogen, die es gesendet hatte.',
    en: 'A document of your record was withdrawn by the establishment that had sent it.',
  },
  share: {
    fr: 'Un document de votre dossier est partagé à votre demande.',
    de: 'Ein Dokument Ihrer Akte wird auf Ihren Wunsch geteilt.',
    en: 'A document of your record is shared as you asked.',
  },
  'share-ended': {
    fr: 'Un partage de votre dossier a pris fin.',
    de: 'Eine Freigabe aus Ihrer Akte ist beendet.',
    en: 'A share of your record has ended.',
  },
  'erasure-requested': {
    fr: 'L’effacement de votre dossier a été demandé.',
    de: 'Die Löschung Ihrer Akte wurde beantragt.',
    en: 'The erasure of your record was asked for.',
  },
  'erasure-cancelled': {
    fr: 'La demande d’effacement de votre dossier a été annulée.',
    de: 'Der Antrag auf Löschung Ihrer Akte wurde zurückgenommen.',
    en: 'The request to erase your record was cancelled.',
  },
  'joined-purged': {
    fr: 'Des documents reçus sous un autre de vos numéros ont été effacés.',
    de: 'Dokumente, die unter einer anderen Nummer von Ihnen eingegangen waren, wurden gelöscht.',
    en: 'Documents that had come in under another number of yours were erased.',
  },
  'request-received': {
    fr: 'Votre demande sur vos données a été enregistrée.',
    de: 'Ihr Antrag zu Ihren Daten wurde eingetragen.',
    en: 'Your request about your data was registered.',
  },
  'request-decided': {
    fr: 'Une réponse à votre demande sur vos données est disponible.',
    de: 'Eine Antwort auf Ihren Antrag zu Ihren Daten steht bereit.',
    en: 'An answer to your request about your data is available.',
  },
};

const WHERE: ByLanguage<string> = {
  fr: 'Le détail vous attend, après connexion, à cette adresse :',
  de: 'Näheres lesen Sie nach der Anmeldung unter dieser Adresse:',
  en: 'Sign in at this address to read more:',
};

const FOOT: ByLanguage<string> = {
  fr: 'Ce message est envoyé automatiquement et ne contient aucune information médicale. Merci de ne pas y répondre.',
  de: 'Diese Nachricht wird automatisch gesendet und enthält keine medizinischen Angaben. Bitte antworten Sie nicht.',
  en: 'This message is sent automatically and holds no medical information. Please do not reply.',
};

/** Writes the mail; `site` is the address of the server: scheme, host and port. */
export function mailTextOf(kind: NoticeKind, language: Language, site: string): MailText {
  const parts = [GREETING[language], SENTENCE[kind][language], `${WHERE[language]}\n${site}`, FOOT[language]];
  return { subject: SUBJECT[language], text: `${parts.join('\n\n')}\n` };
}

/** What she is mailed last, by the number of her request: there is nothing any more to sign in for. */
export function erasedMailOf(request: string, language: Language): MailText {
  const parts = [GREETING[language], ERASED[language], `${REQUEST[language]} ${request}`, FOOT[language]];
  return { subject: SUBJECT[language], text: `${parts.join('\n\n')}\n` };
}

const ERASED: ByLanguage<string> = {
  fr:
    'Votre dossier partagé est effacé, comme cela a été demandé, avec vos identifiants et cette adresse. ' +
    'Nous n’en gardons qu’une empreinte illisible, pour que votre dossier ne soit pas créé de nouveau : ' +
    'vos prochains examens ne seront pas partagés. ' +
    'Si vous souhaitez de nouveau un dossier, adressez-vous à un établissement. ' +
    'Vous ne recevrez plus de message de notre part. ' +
    'Les établissements où vous avez reçu des soins gardent leurs propres dossiers.',
  de:
    'Ihre geteilte Akte ist gelöscht, wie beantragt, mit Ihren Kennungen und dieser Adresse. ' +
    'Wir behalten davon nur unlesbare Prüfwerte, damit Ihre Akte nicht neu angelegt wird: ' +
    'Ihre nächsten Untersuchungen werden nicht geteilt. ' +
    'Wünschen Sie wieder eine Akte, wenden Sie sich an eine Einrichtung. ' +
    'Sie erhalten keine weitere Nachricht von uns. ' +
    'Die Einrichtungen, die Sie behandelt haben, behalten ihre eigenen Akten.',
  en:
    'Your shared record is erased, as was asked for, with your identifiers and this address. ' +
    'All we keep of them is a fingerprint that nobody can read, so that your record is not made again: ' +
    'your next exams will not be shared. If you want a record again, ask an establishment. ' +
    'We will not write to you again. The establishments that treated you keep their own records.',
};

const REQUEST: ByLanguage<string> = {
  fr: 'Numéro de la demande :',
  de: 'Nummer des Antrags:',
  en: 'Number of the request:',
};
