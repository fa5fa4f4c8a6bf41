/** An access as a sentence that a patient reads, or who represents her, in a language and in the time of the region. */
import type { ByLanguage, Language } from '../language.ts';
import type { AccessLine, SeenExam } from './access-line.ts';
import { imagesOf } from './modality-words.ts';
import { emergencyWordsOf, rightWordsOf } from './right-words.ts';

/** A space at which no line breaks: in French between a number and what it counts, and within guillemets. */
const NO_BREAK = '\u00A0';

/** `record` is the record as who reads of it calls it; `opened` what an emergency opens: that, or one exam. */
type Frame = Readonly<Record<'when' | 'who' | 'what' | 'record' | 'opened', string>>;

/** Whose record it is to who reads the sentence. */
type Whose = 'own' | 'another';

/** How a language tells each kind of access, of others and of her own. */
type Wording = {
  readonly when: (date: string, time: string) => string;
  readonly told: Readonly<Record<AccessLine['kind'], (frame: Frame) => string>>;
  readonly own: Readonly<Record<AccessLine['kind'], (frame: Frame) => string>>;
  readonly exam: Readonly<Record<SeenExam['kind'], string>>;
  readonly anExam: Readonly<Record<SeenExam['kind'], string>>;
  /** The record, as what is seen. */
  readonly record: Readonly<Record<Whose, string>>;
  readonly ofRecord: Readonly<Record<Whose, string>>;
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
    record: ({ when, who, record }) => `${when}, ${who} a consulté ${record}, sans ouvrir d’examen`,
    exported: ({ when, who, what, record }) => `${when}, ${who} a téléchargé ${record}, avec ${what}`,
    emergency: ({ when, who, opened }) => `${when}, ${who} a déclaré une urgence pour ouvrir ${opened}`,
  },
  own: {
    opened: ({ when, what }) => `${when}, vous avez consulté ${what}`,
    listed: ({ when, what }) => `${when}, vous avez vu dans une liste ${what}`,
    record: ({ when, record }) => `${when}, vous avez consulté ${record}, sans ouvrir d’examen`,
    exported: ({ when, what, record }) => `${when}, vous avez téléchargé ${record}, avec ${what}`,
    emergency: ({ when }) => `${when}, vous avez déclaré une urgence`,
  },
  exam: { exam: 'l’examen', report: 'le compte rendu', document: 'le document' },
  anExam: {
    exam: 'un examen',
    report: 'un compte rendu',
    document: 'un document',
  },
  record: { own: 'votre dossier', another: 'le dossier' },
  ofRecord: { own: 'de votre dossier', another: 'du dossier' },
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
    record: ({ when, who, record }) => `${when} hat ${who} ${record} eingesehen, ohne eine Untersuchung zu öffnen`,
    exported: ({ when, who, what, record }) => `${when} hat ${who} ${record} heruntergeladen, mit ${what}`,
    emergency: ({ when, who, opened }) => `${when} hat ${who} einen Notfall erklärt, um ${opened} zu öffnen`,
  },
  own: {
    opened: ({ when, what }) => `${when} haben Sie ${what} eingesehen`,
    listed: ({ when, what }) => `${when} haben Sie in einer Liste gesehen: ${what}`,
    record: ({ when, record }) => `${when} haben Sie ${record} eingesehen, ohne eine Untersuchung zu öffnen`,
    exported: ({ when, what, record }) => `${when} haben Sie ${record} heruntergeladen, mit ${what}`,
    emergency: ({ when }) => `${when} haben Sie einen Notfall erklärt`,
  },
  exam: { exam: 'die Untersuchung', report: 'den Befund', document: 'das Dokument' },
  anExam: {
    exam: 'eine Untersuchung',
    report: 'einen Befund',
    document: 'ein Dokument',
  },
  record: { own: 'Ihre Akte', another: 'die Akte' },
  ofRecord: { own: 'Ihrer Akte', another: 'der Akte' },
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
    record: ({ when, who, record }) => `${when}, ${who} read ${record}, without opening an exam`,
    exported: ({ when, who, what, record }) => `${when}, ${who} downloaded ${record}, with ${what}`,
    emergency: ({ when, who, opened }) => `${when}, ${who} declared an emergency to open ${opened}`,
  },
  own: {
    opened: ({ when, what }) => `${when}, you opened ${what}`,
    listed: ({ when, what }) => `${when}, you saw in a list ${what}`,
    record: ({ when, record }) => `${when}, you read ${record}, without opening an exam`,
    exported: ({ when, what, record }) => `${when}, you downloaded ${record}, with ${what}`,
    emergency: ({ when }) => `${when}, you declared an emergency`,
  },
  exam: { exam: 'the exam', report: 'the report', document: 'the document' },
  anExam: { exam: 'an exam', report: 'a report', document: 'a document' },
  record: { own: 'your record', another: 'the record' },
  ofRecord: { own: 'of your record', another: 'of the record' },
  quoted: (words) => `“${words}”`,
  of: (date) => ` of ${date}`,
  further: (count) => (count === 1 ? 'one other' : `${count} others`),
  atLeast: 'at least ',
  counted: (count) => `${count} ${count === 1 ? 'exam' : 'exams'}`,
  and: 'and',
};

const WORDINGS: ByLanguage<Wording> = { fr: FR, de: DE, en: EN };

/** How a sentence is written; `timeZone` is the IANA name of the region's zone. */
export type Telling = {
  readonly language: Language;
  readonly timeZone: string;
  /** To who represents the patient, and not to her. */
  readonly isOfAnother?: boolean;
};

/** Writes the sentence. */
export function sentenceOf(line: AccessLine, telling: Telling): string {
  const { language, timeZone, isOfAnother = false } = telling;
  const wording = WORDINGS[language];
  const { kind, isOwn, at, relation = '' } = line;
  const when = wording.when(dateOf(at, language, timeZone), timeOf(at, language, timeZone));
  const [what, record] = [examsOf(line, telling), wording.record[whoseOf(telling)]];
  const frame = { when, who: whoOf(line), what, record, opened: what === '' ? record : what };
  const told = (isOwn ? wording.own : wording.told)[kind](frame);
  // What an emergency is, its own sentence says.
  const wordsOf = kind === 'emergency' ? emergencyWordsOf : rightWordsOf;
  const right = isOwn ? undefined : wordsOf(relation, isOfAnother)?.[language];
  return right === undefined ? `${told}.` : `${told}, ${right}.`;
}

function whoseOf({ isOfAnother = false }: Telling): Whose {
  return isOfAnother ? 'another' : 'own';
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

function examsOf({ kind, exams, further, isAtLeast }: AccessLine, telling: Telling): string {
  const wording = WORDINGS[telling.language];
  const atLeast = isAtLeast === true ? wording.atLeast : '';
  if (kind === 'exported') return `${atLeast}${wording.counted(exams.length + further)}`;
  const named = exams.slice(0, MOST_NAMED);
  const others = exams.length - named.length + further;
  const told = [
    ...named.map((exam) => examOf(exam, telling)),
    ...(others === 0 ? [] : [`${atLeast}${wording.further(others)}`]),
  ];
  const last = told.pop() ?? '';
  return told.length === 0 ? last : `${told.join(', ')} ${wording.and} ${last}`;
}

function examOf({ kind, description, modality, started }: SeenExam, telling: Telling): string {
  const { language, timeZone } = telling;
  const { exam, anExam, ofRecord, quoted, of, and } = WORDINGS[language];
  const images = description === undefined ? imagesOf(modality, language) : [];
  const words = description ?? modality;
  if (words === undefined) return `${anExam[kind]} ${ofRecord[whoseOf(telling)]}`;
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
