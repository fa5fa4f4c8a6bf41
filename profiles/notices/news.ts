/** What patients are told of their record: a document to read, who reads it from now on, whether it is shared. */
import type { Communication, Reference } from '@medplum/fhirtypes';
import type { ByLanguage, Language } from '../language.ts';
import { buildNotice, type NoticeFacts } from './notice.ts';

const DOCUMENT: ByLanguage<string> = {
  fr: 'Un nouveau document est disponible dans votre dossier.',
  de: 'In Ihrer Akte steht ein neues Dokument bereit.',
  en: 'A new document is available in your record.',
};

/** Builds the notice of a document that she may read now: not of which, for that may be taken back. */
export function buildDocumentNotice(facts: NoticeFacts): Communication {
  return buildNotice({ ...facts, kind: 'new-document', text: DOCUMENT });
}

/** Who may read from now on: references with the names that people call them by, one at least. */
export type Newcomers = readonly (Pick<Reference, 'reference'> & { readonly display: string })[];

/** Builds the notice of imaging services that read her record from now on, for one of them has an exam of hers. */
export function buildServiceNotice({
  services,
  ...facts
}: NoticeFacts & { readonly services: Newcomers }): Communication {
  const names = namesOf(services);
  return buildNotice({
    ...facts,
    kind: 'imaging-service',
    about: services,
    text: {
      fr: `Ce service d’imagerie, qui tient un examen de votre dossier, peut désormais le consulter : ${names}.`,
      de: `Dieser radiologische Dienst, der eine Untersuchung Ihrer Akte führt, kann sie nun einsehen: ${names}.`,
      en: `This imaging service, which holds an exam of your record, may read it from now on: ${names}.`,
    },
  });
}

/** Builds the notice of a stay, during which the people of these organizations read her record. */
export function buildStayNotice({
  providers,
  ...facts
}: NoticeFacts & { readonly providers: Newcomers }): Communication {
  const names = namesOf(providers);
  return buildNotice({
    ...facts,
    kind: 'stay',
    about: providers,
    text: {
      fr: `Pendant votre séjour, l’équipe qui vous soigne peut consulter votre dossier : ${names}.`,
      de: `Während Ihres Aufenthalts kann das Team, das Sie behandelt, Ihre Akte einsehen: ${names}.`,
      en: `During your stay, the team that cares for you may read your record: ${names}.`,
    },
  });
}

/** What a declared correspondent may read: her record, one exam or some items of hers, or what is of a time. */
export type Reach = 'record' | 'exam' | 'items' | 'period';

const CORRESPONDENT: Readonly<Record<Reach, (names: string) => ByLanguage<string>>> = {
  record: (names) => ({
    fr: `Un correspondant déclaré peut désormais consulter votre dossier : ${names}.`,
    de: `Eine angegebene Fachperson kann Ihre Akte nun einsehen: ${names}.`,
    en: `A declared correspondent may read your record from now on: ${names}.`,
  }),
  exam: (names) => ({
    fr: `Un correspondant déclaré peut désormais consulter un seul de vos examens : ${names}.`,
    de: `Eine angegebene Fachperson kann nun eine einzelne Ihrer Untersuchungen einsehen: ${names}.`,
    en: `A declared correspondent may read one of your exams, and no other, from now on: ${names}.`,
  }),
  items: (names) => ({
    fr: `Un correspondant déclaré peut désormais consulter certains éléments de votre dossier : ${names}.`,
    de: `Eine angegebene Fachperson kann nun einzelne Teile Ihrer Akte einsehen: ${names}.`,
    en: `A declared correspondent may read some items of your record, and no other, from now on: ${names}.`,
  }),
  period: (names) => ({
    fr: `Un correspondant déclaré peut désormais consulter une seule période de votre dossier : ${names}.`,
    de: `Eine angegebene Fachperson kann nun einen einzelnen Zeitraum Ihrer Akte einsehen: ${names}.`,
    en: `A declared correspondent may read one period of your record, and no other, from now on: ${names}.`,
  }),
};

/**
 * Builds the notice of professionals who were declared as correspondents of hers, or are in her circle:
 * `consent` is the Consent or CareTeam (a reference) that says so.
 */
export function buildCorrespondentNotice({
  professionals,
  consent,
  reach = 'record',
  ...facts
}: NoticeFacts & {
  readonly professionals: Newcomers;
  readonly consent: string;
  readonly reach?: Reach;
}): Communication {
  return buildNotice({
    ...facts,
    kind: 'correspondent',
    about: [{ reference: consent }],
    text: CORRESPONDENT[reach](namesOf(professionals)),
  });
}

/**
 * Builds the notice of who redeemed a presence code of hers: `consent` (a reference) gives the record until a moment,
 * epoch milliseconds, told in a zone (IANA).
 */
export function buildPresenceNotice({
  professionals,
  consent,
  until,
  timeZone,
  ...facts
}: NoticeFacts & {
  readonly professionals: Newcomers;
  readonly consent: string;
  readonly until: number;
  readonly timeZone: string;
}): Communication {
  const names = namesOf(professionals);
  const end = (language: Language): string =>
    new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone }).format(until);
  const [fr, de, en] = [end('fr'), end('de'), end('en')];
  return buildNotice({
    ...facts,
    kind: 'correspondent',
    about: [{ reference: consent }],
    text: {
      fr:
        'Le professionnel à qui vous avez donné votre code de présence peut consulter votre dossier ' +
        `jusqu’au ${fr} : ${names}.`,
      de: `Die Fachperson, der Sie Ihren Anwesenheitscode gegeben haben, kann Ihre Akte bis ${de} einsehen: ${names}.`,
      en: `The professional to whom you gave your presence code may read your record until ${en}: ${names}.`,
    },
  });
}

/** Builds the notice of who represents her before the law: `representative` is the RelatedPerson that says so. */
export function buildRepresentativeNotice({
  representative,
  ...facts
}: NoticeFacts & { readonly representative: Newcomers[number] }): Communication {
  const { display } = representative;
  return buildNotice({
    ...facts,
    kind: 'representative',
    about: [representative],
    text: {
      fr: `Votre représentant légal peut consulter votre dossier et y décider pour vous : ${display}.`,
      de: `Als gesetzliche Vertretung kann diese Person Ihre Akte einsehen und darin für Sie entscheiden: ${display}.`,
      en: `As your legal representative, this person may read your record and decide in it for you: ${display}.`,
    },
  });
}

/** Builds the invitation of who comes of age: her record is hers alone from now on. */
export function buildMajorityNotice(facts: NoticeFacts): Communication {
  return buildNotice({ ...facts, kind: 'majority', text: OF_AGE });
}

const OF_AGE: ByLanguage<string> = {
  fr:
    'Vous avez 18 ans : c’est désormais à vous de décider de votre dossier d’imagerie. Vos parents, ou la personne ' +
    'qui vous représentait, ne peuvent plus le consulter. Pour l’ouvrir, connectez-vous avec votre propre compte. ' +
    'Si vous n’en avez pas, demandez à votre établissement de vous aider.',
  de:
    'Sie sind 18: Über Ihre Bildakte entscheiden Sie jetzt selbst. Ihre Eltern und wer Sie sonst vertreten hat, ' +
    'können sie nicht mehr einsehen. Um sie zu öffnen, melden Sie sich mit Ihrem eigenen Zugang an. ' +
    'Wenn Sie keinen haben, hilft Ihnen Ihre Einrichtung.',
  en:
    'You are 18: from now on you decide about your imaging record. Your parents, or whoever represented you, ' +
    'can no longer read it. To open it, sign in with an account of your own. If you have none, ask your ' +
    'establishment for help.',
};

const SHARING = {
  withdrawal: {
    fr: 'Votre retrait du partage est enregistré : aucun professionnel ne consulte plus votre dossier.',
    de: 'Ihr Widerruf der Freigabe ist eingetragen: Keine Fachperson sieht Ihre Akte mehr ein.',
    en: 'Your withdrawal from sharing is recorded: no professional reads your record any more.',
  },
  opposition: {
    fr:
      'Votre opposition est enregistrée : aucun professionnel ne consulte plus votre dossier, et rien de nouveau n’y ' +
      'est ajouté.',
    de: 'Ihr Widerspruch ist eingetragen: Keine Fachperson sieht Ihre Akte mehr ein, und nichts Neues kommt hinzu.',
    en: 'Your opposition is recorded: no professional reads your record any more, and nothing new comes in.',
  },
  reconsent: {
    fr:
      'La fin d’un retrait ou d’une opposition est enregistrée. Votre dossier est de nouveau partagé, sauf autre ' +
      'refus.',
    de: 'Das Ende eines Widerrufs ist eingetragen. Ihre Akte ist wieder freigegeben, sofern kein anderer besteht.',
    en: 'The end of a withdrawal or opposition is recorded. Your record is shared again, unless another one stands.',
  },
} as const satisfies Readonly<Record<string, ByLanguage<string>>>;

/** A change of whether the record is shared. */
export type SharingNotice = keyof typeof SHARING;

/** Builds the notice of it: `consent` is a reference, absent where no Consent of hers says it. */
export function buildSharingNotice({
  change,
  consent,
  ...facts
}: NoticeFacts & { readonly change: SharingNotice; readonly consent?: string }): Communication {
  const about = consent === undefined ? [] : [{ reference: consent }];
  return buildNotice({ ...facts, kind: change, about, text: SHARING[change] });
}

/**
 * Builds the notice of what a desk ended by a paper of hers, in plain words, for it may be somebody else's: it goes by
 * letter, too.
 */
export function buildPaperNotice({ consent, ...facts }: NoticeFacts & { readonly consent: string }): Communication {
  return buildNotice({
    ...facts,
    kind: 'reconsent',
    about: [{ reference: consent }],
    text: ON_PAPER,
    byLetterToo: true,
  });
}

const ON_PAPER: ByLanguage<string> = {
  fr:
    'Nous avons reçu un papier signé de votre main, par lequel vous souhaitez de nouveau partager vos examens. ' +
    'Deux personnes l’ont vérifié. Votre dossier est de nouveau partagé, sauf autre refus. ' +
    'Si vous n’avez rien signé, dites-le tout de suite à votre établissement.',
  de:
    'Wir haben ein von Ihnen unterschriebenes Papier erhalten: Sie möchten Ihre Untersuchungen wieder teilen. ' +
    'Zwei Personen haben es geprüft. Ihre Akte ist wieder freigegeben, sofern kein anderer Widerruf besteht. ' +
    'Haben Sie nichts unterschrieben, sagen Sie es sofort Ihrer Einrichtung.',
  en:
    'We received a paper signed by you, by which you want to share your exams again. ' +
    'Two people checked it. Your record is shared again, unless another refusal stands. ' +
    'If you signed nothing, tell your establishment at once.',
};

function namesOf(newcomers: Newcomers): string {
  return newcomers.map(({ display }) => display).join(', ');
}
