/** What the patient is told of a share, and what its recipient is mailed: who is sick, and of what, is in neither. */
import type { Communication } from '@medplum/fhirtypes';
import type { ByLanguage, Language } from '../language.ts';
import type { MailText } from './mail-text.ts';
import { buildNotice, type NoticeFacts } from './notice.ts';

/** What became of a share. */
export type ShareChange = 'given' | 'ended';

const TOLD: Readonly<Record<ShareChange, ByLanguage<(recipient: string) => string>>> = {
  given: {
    fr: (recipient) => `Vous partagez un document de votre dossier avec ${recipient}. Vous pouvez y mettre fin.`,
    de: (recipient) => `Sie teilen ein Dokument Ihrer Akte mit ${recipient}. Sie können dies jederzeit beenden.`,
    en: (recipient) => `You share a document of your record with ${recipient}. You may end it at any time.`,
  },
  ended: {
    fr: (recipient) => `Le partage d’un document de votre dossier avec ${recipient} a pris fin.`,
    de: (recipient) => `Ein Dokument Ihrer Akte wird nicht mehr mit ${recipient} geteilt.`,
    en: (recipient) => `A document of your record is no longer shared with ${recipient}.`,
  },
};

const KIND = { given: 'share', ended: 'share-ended' } as const satisfies Record<ShareChange, string>;

/** Builds the notice of it: `consent` is the share (a reference), `recipient` the address that it is for. */
export function buildShareNotice({
  change,
  consent,
  recipient,
  ...facts
}: NoticeFacts & {
  readonly change: ShareChange;
  readonly consent: string;
  readonly recipient: string;
}): Communication {
  const { fr, de, en } = TOLD[change];
  const text = { fr: fr(recipient), de: de(recipient), en: en(recipient) };
  return buildNotice({ ...facts, kind: KIND[change], about: [{ reference: consent }], text });
}

const SUBJECT: ByLanguage<string> = {
  fr: 'Un partage vous concerne',
  de: 'Eine Freigabe betrifft Sie',
  en: 'A share concerns you',
};

const SENTENCE: Readonly<Record<ShareChange, ByLanguage<(day: string) => string>>> = {
  given: {
    fr: (day) => `Une personne partage avec vous un document de son dossier. Le partage prend fin le ${day}.`,
    de: (day) => `Jemand teilt mit Ihnen ein Dokument der eigenen Akte. Die Freigabe endet am ${day}.`,
    en: (day) => `Somebody shares a document of a record with you. The share ends on ${day}.`,
  },
  ended: {
    fr: () => 'Une personne qui partageait un document avec vous y a mis fin.',
    de: () => 'Jemand hat die Freigabe eines Dokuments für Sie beendet.',
    en: () => 'Somebody who shared a document with you has ended that.',
  },
};

const GREETING: ByLanguage<string> = { fr: 'Bonjour,', de: 'Guten Tag,', en: 'Hello,' };

const FOOT: ByLanguage<string> = {
  fr: 'Ce message est envoyé automatiquement et ne contient aucune information médicale. Merci de ne pas y répondre.',
  de: 'Diese Nachricht wird automatisch gesendet und enthält keine medizinischen Angaben. Bitte antworten Sie nicht.',
  en: 'This message is sent automatically and holds no medical information. Please do not reply.',
};

/** Writes the mail to the recipient. `until` is in epoch milliseconds, its day one of the zone (IANA). */
export function shareMailOf(
  change: ShareChange,
  language: Language,
  { until, timeZone }: { readonly until: number; readonly timeZone: string },
): MailText {
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone }).format(new Date(until));
  const parts = [GREETING[language], SENTENCE[change][language](day), FOOT[language]];
  return { subject: SUBJECT[language], text: `${parts.join('\n\n')}\n` };
}
