/** Which personal parts of an event an erasure takes: the same on every store. */
import type { AuditEventEntity } from '@medplum/fhirtypes';
import { normalizeString } from '../../profiles/search/values.ts';
import { personKey, type PersonKey } from '../access/requester.ts';
import type { ErasedPerson } from '../ports/audit-trail.ts';
import type { ChainedEvent, PersonalSide } from './audit-chain.ts';

/** What goes: of the entities with the query, and of the agents. */
export type GoingParts = { readonly entities: boolean; readonly agents: boolean };

/** An event of the chain: its body, where it is asked for, and what is left of its personal side. */
export type ToldEvent = { readonly body: string; readonly personal: PersonalSide };

/** A UID, an accession number, an identifier: what stands between separators of URLs, queries and JSON. */
const NAME = /[\p{L}\p{N}][\p{L}\p{N}._-]*/gu;
/** A row, wherever a reference to it stands. */
const ROW = /[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}/g;

/** What goes of an event that mentions one of these names; its body is looked at for who may read it alone. */
export function partsNaming(
  { body, personal }: ToldEvent,
  names: ReadonlySet<string>,
  readers?: ReadonlySet<PersonKey>,
): GoingParts {
  if (readers !== undefined && !readersOf(body).some((one) => readers.has(one))) return NO_PARTS;
  const isNamed = textsOf(personal).some((text) =>
    [NAME, ROW].some((named) => (text.match(named) ?? []).some((name) => names.has(name))),
  );
  return { entities: isNamed, agents: false };
}

const NO_PARTS: GoingParts = { entities: false, agents: false };

/** Who may read an event, as its body says. */
function readersOf(body: string): readonly PersonKey[] {
  const { persons = '' } = JSON.parse(body) as Partial<ChainedEvent>;
  return persons.split(' ').filter(Boolean).map(personKey);
}

/**
 * What goes of an event with a person: of those that she alone reads, and that mention her, what they tell of entities;
 * of those where she acts, or somebody by a number of hers, who acted. Whoever else acted stays named.
 */
export function partsOfPerson({ body, personal }: ToldEvent, who: ErasedPerson): GoingParts {
  const { agent = [], entity = [], persons } = JSON.parse(body) as Partial<ChainedEvent>;
  const isHers = persons === undefined ? tellsOf(entity, who.agents) : areAll(persons.split(' '), who.persons);
  const hasEntities = personal.entities !== undefined || personal.request !== undefined;
  const acts = agent.some((one) => who.agents.has(one.who?.reference ?? ''));
  const agents = personal.agents?.json;
  return {
    entities: hasEntities && (isHers || mentions(textsOf(personal), who.names)),
    agents: agents !== undefined && (acts || mentions([agents], who.names)),
  };
}

/** Whether an event of an earlier server, which does not say who reads it, tells of these Patients and of no other. */
function tellsOf(entities: readonly AuditEventEntity[], patients: ReadonlySet<string>): boolean {
  const told = entities.map(({ what }) => what?.reference ?? '');
  return areAll(
    told.filter((one) => one.startsWith('Patient/')),
    patients,
  );
}

function areAll(some: readonly string[], among: ReadonlySet<string>): boolean {
  return some.length > 0 && some.every((one) => among.has(one));
}

/** A day as FHIR, with a prefix or a time of the day, or DICOM writes it. */
const DAY = /(?<!\d)(\d{4})-?(\d\d)-?(\d\d)(?!\d)/g;

/** Stands between two texts, and in no name, so that no name reaches from one into the other. */
const BETWEEN = '\n';

/** What one of some names is made of, as it is looked for. */
type Part = {
  readonly text: string;
  /** Where it is more than one token, an address, a telephone: it stands there whole, as no part of a longer one. */
  readonly phrase: RegExp | undefined;
  /** Of a name of several words, which are parted by whatever its source or who asks is used to. */
  readonly words: string | undefined;
};

/**
 * Whether texts mention all that one of some names is made of, as a search would find it: in whatever case, with
 * accents or without. It is asked of every event of a trail: what is rarely needed is worked out when it is.
 */
function mentions(texts: readonly string[], names: ErasedPerson['names']): boolean {
  const folded = texts.map(foldedText);
  const text = folded.join(BETWEEN);
  const tokens = new Set(text.match(NAME));
  let days: ReadonlySet<string> | undefined;
  let words: string | undefined;
  const hasDay = (day: string): boolean =>
    (days ??= new Set([...text.matchAll(DAY)].map(([, ...found]) => found.join('-')))).has(day);
  const isThere = (part: Part): boolean =>
    tokens.has(part.text) ||
    (part.phrase !== undefined && text.includes(part.text) && part.phrase.test(text)) ||
    hasDay(part.text) ||
    (part.words !== undefined && (words ??= folded.map(wordsOf).join(BETWEEN)).includes(part.words));
  return partsOf(names).some((parts) => parts.length > 0 && parts.every(isThere));
}

const PARTS = new WeakMap<ErasedPerson['names'], readonly (readonly Part[])[]>();

/** The parts of names, the last first: a name alone is more common than a day or a domain. */
function partsOf(names: ErasedPerson['names']): readonly (readonly Part[])[] {
  const known = PARTS.get(names);
  if (known !== undefined) return known;
  const parts = names.map((name) => name.map(partOf).toReversed());
  PARTS.set(names, parts);
  return parts;
}

function partOf(name: string): Part {
  const text = normalizeString(name);
  const isWords = /^\p{L}+(?:[ '’.-]+\p{L}+)+$/u.test(text);
  const isToken = text === '' || text.match(NAME)?.[0] === text;
  return { text, phrase: isToken ? undefined : phraseOf(text), words: isWords ? wordsOf(text) : undefined };
}

/** A text between others than letters and digits; an address of mail is no end of another's, and no beginning. */
function phraseOf(text: string): RegExp {
  const [before, after] = text.includes('@')
    ? ['[\\p{L}\\p{N}._%+@-]', '[._-]?[\\p{L}\\p{N}@]']
    : ['[\\p{L}\\p{N}]', '[\\p{L}\\p{N}]'];
  const escaped = text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  // What is asked by a URL follows an escape, too.
  return new RegExp(`(?:(?<!${before})|(?<=%[0-9a-f]{2}))${escaped}(?!${after})`, 'u');
}

/** As {@link normalizeString} has it, but for white space. */
function foldedText(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text.toLowerCase() : normalizeString(text);
}

/** The words of a text alone, each between blanks. */
function wordsOf(text: string): string {
  return ` ${text.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim()} `;
}

/** What is told of entities, in queries too, which are base64, and the query as it was asked. */
function textsOf({ entities, request }: Pick<PersonalSide, 'entities' | 'request'>): readonly string[] {
  const entitiesJson = entities?.json ?? '[]';
  const queries = (JSON.parse(entitiesJson) as Partial<AuditEventEntity>[]).map(({ query = '' }) =>
    Buffer.from(query, 'base64').toString(),
  );
  if (request !== undefined) queries.push(JSON.parse(request.json) as string);
  const decoded = queries.flatMap((query) => [query, query.replaceAll('+', ' ')].map(percentDecoded));
  return [...new Set([entitiesJson, ...queries, ...decoded])];
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
