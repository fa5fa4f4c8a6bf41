/** Which personal parts of an event an erasure takes: the same on every store. */
import type { AuditEventEntity } from '@medplum/fhirtypes';
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
  const { agent = [] } = JSON.parse(body) as Partial<ChainedEvent>;
  const readers = readersOf(body);
  const isHers = readers.length > 0 && readers.every((one) => who.persons.has(one));
  const hasEntities = personal.entities !== undefined || personal.request !== undefined;
  const acts = agent.some((one) => who.agents.has(one.who?.reference ?? ''));
  const agents = personal.agents?.json;
  return {
    entities: hasEntities && (isHers || mentions(textsOf(personal), who.names)),
    agents: agents !== undefined && (acts || mentions([agents], who.names)),
  };
}

/** Whether texts mention all that one of some names is made of, in whatever case. */
function mentions(texts: readonly string[], names: ErasedPerson['names']): boolean {
  const lower = texts.map((text) => text.toLowerCase());
  const tokens = new Set(lower.flatMap((text) => text.match(NAME) ?? []));
  const isThere = (part: string): boolean =>
    tokens.has(part) || (isPhrase(part) && lower.some((text) => text.includes(part)));
  return names.some((parts) => parts.length > 0 && parts.every((part) => isThere(part.toLowerCase())));
}

function isPhrase(part: string): boolean {
  return part !== '' && part.match(NAME)?.[0] !== part;
}

/** What is told of entities, in queries too, which are base64, and the query as it was asked. */
function textsOf({ entities, request }: Pick<PersonalSide, 'entities' | 'request'>): readonly string[] {
  const entitiesJson = entities?.json ?? '[]';
  const queries = (JSON.parse(entitiesJson) as Partial<AuditEventEntity>[]).map(({ query = '' }) =>
    Buffer.from(query, 'base64').toString(),
  );
  if (request !== undefined) queries.push(JSON.parse(request.json) as string);
  return [entitiesJson, ...queries, ...queries.map(percentDecoded)];
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
