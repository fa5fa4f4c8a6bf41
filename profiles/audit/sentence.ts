/** An access as a sentence that a patient reads, in her language and in the time of her region. */
import type { ByLanguage, Language } from '../language.ts';
import type { AccessLine, SeenExam } from './access-line.ts';
import { imagesOf } from './modality-words.ts';

/** A space at which no line breaks: in French between a number and what it counts, and within guillemets. */
const NO_BREAK = '\u00A0';

/** The right by which an access was, as the one who reads it understands it; nothing is said of her own. */
export const RIGHT_WORDS: Readonly<Record<string, ByLanguage<string>>> = {
  author: { fr: 'en tant qu’auteur', de: 'als Urheber', en: 'as its author' },
  referent: {
    fr: 'en tant que médecin référent',
    de: 'als Ihr Referenzarzt oder Ihre Referenzärztin',
    en: 'as the reference doctor of your record',
  },
  circle: {
    fr: 'en tant que membre de votre cercle de confiance',
    de: 'als Mitglied Ihres Vertrauenskreises',
    en: 'as a member of your circle of trust',
  },
  assistant: {
    fr: 'en tant qu’assistant que vous avez désigné',
    de: 'als von Ihnen benannte Assistenz',
    en: 'as an assistant whom you named',
  },
  declared: {
    fr: 'en tant que correspondant déclaré',
    de: 'als gemeldete Fachperson',
    en: 'as a declared correspondent',
  },
  'imaging-service': {
    fr: 'pour le service d’imagerie où un de vos examens a été réalisé',
    de: 'für den radiologischen Dienst, der eine Ihrer Untersuchungen durchgeführt hat',
    en: 'for the imaging service where an exam of yours was made',
  },
  'own-service': {
    fr: 'pour le service d’imagerie où cet examen a été réalisé',
    de: 'für den radiologischen Dienst, der diese Untersuchung durchgeführt hat',
    en: 'for the imaging service where this exam was made',
  },
  stay: { fr: 'au cours de votre séjour', de: 'während Ihres Aufenthalts', en: 'during your stay' },
  presence: {
    fr: 'avec le code de présence que vous lui aviez donné',
    de: 'mit dem Anwesenheitscode, den Sie gegeben hatten',
    en: 'with the presence code that you had given',
  },
  share: {
    fr: 'grâce au partage que vous avez envoyé par courriel',
    de: 'durch die Freigabe, die Sie per E-Mail gesendet haben',
    en: 'by the share that you sent by e-mail',
  },
  'break-glass': {
    fr: 'en urgence (bris de glace)',
    de: 'im Notfall (Notzugriff)',
    en: 'in an emergency (break-glass)',
  },
  representative: {
    fr: 'en tant que représentant légal',
    de: 'als gesetzliche Vertretung',
    en: 'as your legal representative',
  },
  dpo: {
    fr: 'en tant que délégué à la protection des données',
    de: 'als Datenschutzbeauftragte oder Datenschutzbeauftragter',
    en: 'as a data protection officer',
  },
  named: {
    fr: 'parce que cette donnée lui est adressée',
    de: 'weil diese Angabe an diese Person gerichtet ist',
    en: 'because it is addressed to this reader',
  },
};

type Frame = { readonly when: string; readonly who: string; readonly what: string };

/** How a language tells each kind of access, of others and of her own. */
type Wording = {
  readonly when: (date: string, time: string) => string;
  readonly told: Readonly<Record<AccessLine['kind'], (frame: Frame) => string>>;
  readonly own: Readonly<Record<AccessLine['kind'], (frame: Frame) => string>>;
  readonly exam: Readonly<Record<SeenExam['kind'], string>>;
  readonly anExam: Readonly<Record<SeenExam['kind'], string>>;
  readonly quoted: (words: string) => string;
  readonly of: (date: string) => string;
  readonly further: (count: number) => string;
  readonly atLeast: string;
  /** Exams of a record that was taken along: there may be hundreds, which no sentence names. */
  readonly counted: (count: number) => string;
  readonly and: string;
};

const FR: Wording = {
  when: (date, time) => `Le ${date} à ${time}`,
  told: {
    opened: ({ when, who, what }) => `${when}, ${who} a consulté ${what}`,
    listed: ({ when, who, what }) => `${when}, ${who} a vu dans une liste ${what}`,
    record: ({ when, who }) => `${when}, ${who} a consulté votre dossier, sans ouvrir d’examen`,
    exported: ({ when, who, what }) => `${when}, ${who} a téléchargé votre dossier, avec ${what}`,
    emergency: ({ when, who }) => `${when}, ${who} a déclaré une urgence pour ouvrir votre dossier`,
  },
  own: {
    opened: ({ when, what }) => `${when}, vous avez consulté ${what}`,
    listed: ({ when, what }) => `${when}, vous avez vu dans une liste ${what}`,
    record: ({ when }) => `${when}, vous avez consulté votre dossier, sans ouvrir d’examen`,
    exported: ({ when, what }) => `${when}, vous avez téléchargé votre dossier, avec ${what}`,
    emergency: ({ when }) => `${when}, vous avez déclaré une urgence`,
  },
  exam: { exam: 'l’examen', report: 'le compte rendu', document: 'le document' },
  anExam: {
    exam: 'un examen de votre dossier',
    report: 'un compte rendu de votre dossier',
    document: 'un document de votre dossier',
  },
  quoted: (words) => `«${NO_BREAK}${words}${NO_BREAK}»`,
  of: (date) => ` du ${date}`,
  further: (count) => (count === 1 ? 'un autre' : `${count}${NO_BREAK}autres`),
  atLeast: 'au moins ',
  counted: (count) => `${count}${NO_BREAK}${count < 2 ? 'examen' : 'examens'}`,
  and: 'et',
};

const DE: Wording = {
  when: (date, time) => `Am ${date} um ${time} Uhr`,
  told: {
    opened: ({ when, who, what }) => `${when} hat ${who} ${what} eingesehen`,
    listed: ({ when, who, what }) => `${when} hat ${who} in einer Liste gesehen: ${what}`,
    record: ({ when, who }) => `${when} hat ${who} Ihre Akte eingesehen, ohne eine Untersuchung zu öffnen`,
    exported: ({ when, who, what }) => `${when} hat ${who} Ihre Akte heruntergeladen, mit ${what}`,
    emergency: ({ when, who }) => `${when} hat ${who} einen Notfall erklärt, um Ihre Akte zu öffnen`,
  },
  own: {
    opened: ({ when, what }) => `${when} haben Sie ${what} eingesehen`,
    listed: ({ when, what }) => `${when} haben Sie in einer Liste gesehen: ${what}`,
    record: ({ when }) => `${when} haben Sie Ihre Akte eingesehen, ohne eine Untersuchung zu öffnen`,
    exported: ({ when, what }) => `${when} haben Sie Ihre Akte heruntergeladen, mit ${what}`,
    emergency: ({ when }) => `${when} haben Sie einen Notfall erklärt`,
  },
  exam: { exam: 'die Untersuchung', report: 'den Befund', document: 'das Dokument' },
  anExam: {
    exam: 'eine Untersuchung Ihrer Akte',
    report: 'einen Befund Ihrer Akte',
    document: 'ein Dokument Ihrer Akte',
  },
  quoted: (words) => `„${words}“`,
  of: (date) => ` vom ${date}`,
  further: (count) => `${count} weitere`,
  atLeast: 'mindestens ',
  counted: (count) => `${count} ${count === 1 ? 'Untersuchung' : 'Untersuchungen'}`,
  and: 'und',
};

const EN: Wording = {
  when: (date, time) => `On ${date} at ${time}`,
  told: {
    opened: ({ when, who, what }) => `${when}, ${who} opened ${what}`,
    listed: ({ when, who, what }) => `${when}, ${who} saw in a list ${what}`,
    record: ({ when, who }) => `${when}, ${who} read your record, without opening an exam`,
    exported: ({ when, who, what }) => `${when}, ${who} downloaded your record, with ${what}`,
    emergency: ({ when, who }) => `${when}, ${who} declared an emergency to open your record`,
  },
  own: {
    opened: ({ when, what }) => `${when}, you opened ${what}`,
    listed: ({ when, what }) => `${when}, you saw in a list ${what}`,
    record: ({ when }) => `${when}, you read your record, without opening an exam`,
    exported: ({ when, what }) => `${when}, you downloaded your record, with ${what}`,
    emergency: ({ when }) => `${when}, you declared an emergency`,
  },
  exam: { exam: 'the exam', report: 'the report', document: 'the document' },
  anExam: { exam: 'an exam of your record', report: 'a report of your record', document: 'a document of your record' },
  quoted: (words) => `“${words}”`,
  of: (date) => ` of ${date}`,
  further: (count) => (count === 1 ? 'one other' : `${count} others`),
  atLeast: 'at least ',
  counted: (count) => `${count} ${count === 1 ? 'exam' : 'exams'}`,
  and: 'and',
};

const WORDINGS: ByLanguage<Wording> = { fr: FR, de: DE, en: EN };

/** Writes the sentence; `timeZone` is the IANA name of the region's zone. */
export function sentenceOf(line: AccessLine, language: Language, timeZone: string): string {
  const wording = WORDINGS[language];
  const { kind, isOwn, at, relation = '' } = line;
  const when = wording.when(dateOf(at, language, timeZone), timeOf(at, language, timeZone));
  const frame = { when, who: whoOf(line), what: examsOf(line, language, timeZone) };
  const told = (isOwn ? wording.own : wording.told)[kind](frame);
  // What an emergency is, its own sentence says.
  const right = isOwn || kind === 'emergency' ? undefined : RIGHT_WORDS[relation]?.[language];
  return right === undefined ? `${told}.` : `${told}, ${right}.`;
}

/** A name, and in brackets what its bearer is and where. */
function whoOf({ who, roles, institutions }: AccessLine): string {
  const professions = roles.flatMap(
    ({ coding = [], text }) => text ?? coding[0]?.display?.replace(QUALIFIER, '') ?? [],
  );
  const name = (who.display ?? who.reference).replace(/^(Dr\.?|Pr|Prof\.?) /, `$1${NO_BREAK}`);
  const beside = [...professions, ...institutions.flatMap(({ display }) => display ?? [])];
  return beside.length === 0 ? name : `${name} (${beside.join(', ')})`;
}

/** How the directory marks what a profession is of, as in `Médecine générale (SM)`: a code that people do not know. */
const QUALIFIER = / \([A-Z]+\)$/;

/** Most exams that one sentence names. */
const MOST_NAMED = 20;

function examsOf({ kind, exams, further, isAtLeast }: AccessLine, language: Language, timeZone: string): string {
  const wording = WORDINGS[language];
  const atLeast = isAtLeast === true ? wording.atLeast : '';
  if (kind === 'exported') return `${atLeast}${wording.counted(exams.length + further)}`;
  const named = exams.slice(0, MOST_NAMED);
  const others = exams.length - named.length + further;
  const told = [
    ...named.map((exam) => examOf(exam, language, timeZone)),
    ...(others === 0 ? [] : [`${atLeast}${wording.further(others)}`]),
  ];
  const last = told.pop() ?? '';
  return told.length === 0 ? last : `${told.join(', ')} ${wording.and} ${last}`;
}

function examOf({ kind, description, modality, started }: SeenExam, language: Language, timeZone: string): string {
  const { exam, anExam, quoted, of, and } = WORDINGS[language];
  const images = description === undefined ? imagesOf(modality, language) : [];
  const words = description ?? modality;
  if (words === undefined) return anExam[kind];
  const day = started === undefined ? undefined : dayOf(started, language, timeZone);
  const what = images.length === 0 ? `${exam[kind]} ${quoted(words)}` : images.join(` ${and} `);
  return `${what}${day === undefined ? '' : of(day)}`;
}

/** The day of a FHIR dateTime; a day without time is of no zone, and less than a day is left out. */
function dayOf(dateTime: string, language: Language, timeZone: string): string | undefined {
  const at = Date.parse(dateTime);
  if (dateTime.length < 'YYYY-MM-DD'.length || Number.isNaN(at)) return undefined;
  return dateOf(at, language, dateTime.length === 'YYYY-MM-DD'.length ? 'UTC' : timeZone);
}

function dateOf(at: number, language: Language, timeZone: string): string {
  const date = formatOf(TAGS[language], timeZone, { dateStyle: 'long' }).format(at);
  return language === 'fr' ? date.replace(/^(\d+) /, (_, day) => `${day === '1' ? '1er' : day}${NO_BREAK}`) : date;
}

function timeOf(at: number, language: Language, timeZone: string): string {
  const time = formatOf('de', timeZone, { timeStyle: 'short' }).format(at);
  // As French is typeset: 9 h 05.
  return language === 'fr' ? time.replace(/^0?(\d+):/, `$1${NO_BREAK}h${NO_BREAK}`) : time;
}

/** A date in English is written as in Europe. */
const TAGS: ByLanguage<string> = { fr: 'fr', de: 'de', en: 'en-GB' };

/** Formats take long to make; languages and zones are few. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatOf(tag: string, timeZone: string, style: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([tag, timeZone, style]);
  const format = FORMATS.get(key) ?? new Intl.DateTimeFormat(tag, { ...style, timeZone });
  FORMATS.set(key, format);
  return format;
}
