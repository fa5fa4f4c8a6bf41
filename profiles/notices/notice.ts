/**
 * A notice to a patient: a Communication in every language, what became of it by mail, and what a desk writes a letter
 * of. Its kind alone says what is mailed (mail-text.ts).
 */
import type { Communication, CommunicationPayload, Extension, Identifier, Reference } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION } from '../codes.ts';
import { LANGUAGES, languageOfTag, type ByLanguage, type Language } from '../language.ts';

/** Codes of `definitions/CodeSystem-notice.json`. */
export const NOTICES = {
  emergency: 'Emergency access',
  'emergency-reviewed': 'Review of an emergency access',
  'new-document': 'New document',
  'imaging-service': 'New imaging service',
  stay: 'Stay',
  correspondent: 'New correspondent',
  representative: 'Legal representative',
  majority: 'Coming of age',
  block: 'Block',
  'block-ended': 'End of a block',
  withdrawal: 'Withdrawal from sharing',
  opposition: 'Opposition to sharing',
  reconsent: 'End of a withdrawal',
  'reconsent-request': 'Request to share again',
  'report-error': 'Report that was an error',
  share: 'Share',
  'share-ended': 'End of a share',
  'erasure-requested': 'Erasure asked for',
  'erasure-cancelled': 'Erasure cancelled',
  'joined-purged': 'Purge of what was joined',
  'request-received': 'Request about her data',
  'request-decided': 'Answer to a request about her data',
} as const;

/** One of {@link NOTICES}. */
export type NoticeKind = keyof typeof NOTICES;

/** Why a notice goes by letter: codes of `definitions/CodeSystem-notice-outcome.json`. */
export const LETTER_REASONS = {
  'no-mail': 'The region sends no mail',
  'no-address': 'No e-mail address is known',
  refused: 'The address was refused for good',
  undeliverable: 'The mail could not be handed over for days',
  'letter-too': 'It goes by mail and by letter',
} as const;

/** One of {@link LETTER_REASONS}. */
export type LetterReason = keyof typeof LETTER_REASONS;

/** A notice that is new. `patient`, `about` and `sender` are references. */
export type NoticeFacts = {
  readonly id: string;
  readonly patient: string;
  /** Epoch milliseconds. */
  readonly now: number;
};

/** Builds one. The text that stands first is that of the first language until it is known which she reads. */
export function buildNotice({
  id,
  patient,
  now,
  kind,
  text,
  about = [],
  sender,
  byLetterToo = false,
}: NoticeFacts & {
  readonly kind: NoticeKind;
  readonly text: ByLanguage<string>;
  readonly about?: readonly Reference[];
  readonly sender?: Communication['sender'];
  /** A letter is written even where it is mailed: who reads her mail may not be she. */
  readonly byLetterToo?: boolean;
}): Communication {
  const [language] = LANGUAGES;
  return {
    resourceType: 'Communication',
    id,
    language,
    status: 'in-progress',
    category: [{ coding: [{ system: CODE_SYSTEM.notice, code: kind, display: NOTICES[kind] }] }],
    subject: { reference: patient },
    ...(about.length === 0 ? {} : { about: [...about] }),
    sent: new Date(now).toISOString(),
    recipient: [{ reference: patient }],
    ...(sender === undefined ? {} : { sender }),
    ...(byLetterToo ? { medium: [mediumOf('MAILWRIT')] } : {}),
    payload: [payloadOf(text, language)],
  };
}

/** Whether a letter is written of a notice even where it is mailed. */
export function goesByLetterToo({ medium = [] }: Communication): boolean {
  return medium.some(({ coding = [] }) => coding.some(({ code }) => code === 'MAILWRIT'));
}

/** The kind of a notice; undefined of one that an earlier server made. */
export function noticeKindOf({ category = [] }: Communication): NoticeKind | undefined {
  const codes = category.flatMap(({ coding = [] }) => coding);
  const code = codes.find(({ system }) => system === CODE_SYSTEM.notice)?.code ?? '';
  return Object.hasOwn(NOTICES, code) ? (code as NoticeKind) : undefined;
}

/** Whether nothing has become of a notice by mail yet. */
export function awaitsMail(notice: Communication): boolean {
  return notice.status === 'in-progress' && noticeKindOf(notice) !== undefined;
}

/** The notice after a mail server took the mail. */
export function mailed(notice: Communication, language: Language): Communication {
  return { ...inLanguage(notice, language), status: 'completed', medium: [mediumOf('EMAILWRIT')] };
}

/**
 * The notice as a letter is to be written of it: `stopped` where a mail was tried, `not-done` where none could be, and
 * `completed` where one was taken, too.
 * `own` is the number by which the establishment that writes it knows her.
 */
export function forLetter(
  notice: Communication,
  { language, reason, own }: { readonly language: Language; readonly reason: LetterReason; readonly own?: Identifier },
): Communication {
  const coding = [{ system: CODE_SYSTEM.noticeOutcome, code: reason, display: LETTER_REASONS[reason] }];
  return {
    ...inLanguage(notice, language),
    status: LETTER_STATUS[reason],
    statusReason: { coding },
    medium: [mediumOf('MAILWRIT'), ...(reason === 'letter-too' ? [mediumOf('EMAILWRIT')] : [])],
    subject: { ...notice.subject, ...(own === undefined ? {} : { identifier: own }) },
  };
}

const LETTER_STATUS = {
  'no-mail': 'not-done',
  'no-address': 'not-done',
  refused: 'stopped',
  undeliverable: 'stopped',
  'letter-too': 'completed',
} as const satisfies Record<LetterReason, Communication['status']>;

/** Codes of v3-ParticipationMode. */
function mediumOf(code: 'EMAILWRIT' | 'MAILWRIT') {
  return { coding: [{ system: CODE_SYSTEM.participationMode, code }] };
}

/** `contentString` with its translations, which R4 keeps beside it. */
type TranslatedPayload = CommunicationPayload & { readonly _contentString?: { readonly extension?: Extension[] } };

/** @see https://hl7.org/fhir/R4/extension-translation.html */
function payloadOf(text: ByLanguage<string>, first: Language): TranslatedPayload {
  const extension = LANGUAGES.filter((language) => language !== first).map((language) => ({
    url: EXTENSION.translation,
    extension: [
      { url: 'lang', valueCode: language },
      { url: 'content', valueString: text[language] },
    ],
  }));
  return { contentString: text[first], _contentString: { extension } };
}

/** The notice with her text first. */
function inLanguage(notice: Communication, language: Language): Communication {
  const payload = (notice.payload ?? []).map((one) => payloadOf(textsOf(one, notice.language), language));
  return { ...notice, language, payload };
}

function textsOf(payload: TranslatedPayload, first = ''): ByLanguage<string> {
  const { contentString = '', _contentString: { extension = [] } = {} } = payload;
  const translated = extension.flatMap(({ extension: parts = [] }) => {
    const language = languageOfTag(parts.find(({ url }) => url === 'lang')?.valueCode ?? '');
    const content = parts.find(({ url }) => url === 'content')?.valueString;
    return language === undefined || content === undefined ? [] : [[language, content] as const];
  });
  const all = { [first]: contentString, ...Object.fromEntries(translated) };
  const of = (language: Language): string => all[language] ?? contentString;
  return { fr: of('fr'), de: of('de'), en: of('en') };
}
