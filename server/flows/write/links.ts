/**
 * Links of what is written: names within a transaction and conditional references become those of stored resources,
 * and absolute ones at this server relative. A patient who is named by an identifier alone is searched by it.
 */
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { isConditional, referencesOf, relinked, type Relink } from '../../../profiles/references.ts';
import { isStoredType, type StoredType } from '../../../profiles/types/visibility.ts';
import { withSearchedSubject } from '../../../profiles/types/logical-subject.ts';
import { writesAbout } from '../../access/may-write.ts';
import { findIdentity, subjectFacts } from '../identity/persons.ts';
import { conditionParameters, matchOf } from './condition.ts';
import { isIdentity } from './hooks.ts';
import type { Placed, Work } from './work.ts';

/** What gives a resource its links, as far as it has some to give. */
export type Links = <R extends Resource>(resource: R) => R;

/**
 * Works out the links of some acts, whose places are known.
 * @throws {Fault} invalid - a conditional reference names nothing that the requester knows
 * @throws {Fault} version-conflict - it names several resources
 */
export async function linksOf(work: Work, places: readonly Placed[]): Promise<Links> {
  const fhirBase = `${work.deps.publicUrl()}/fhir`;
  const relative = (text: string): string => (text.startsWith(`${fhirBase}/`) ? text.slice(fhirBase.length + 1) : text);
  const named = new Map<string, string>();
  for (const { act, id } of places) if (act.fullUrl !== undefined) named.set(act.fullUrl, `${act.type}/${id}`);
  const sent = places.flatMap(({ act }) => ('resource' in act ? [withSearchedSubject(act.type, act.resource)] : []));
  const searched = new Set(sent.flatMap(referencesOf).map(relative).filter(isConditional));
  for (const text of searched) named.set(text, await conditionalTarget(work, places, text, fhirBase));
  const relink: Relink = (text, kind) => {
    if (kind === 'uri') return named.get(text);
    const short = relative(text);
    const target = named.get(text) ?? named.get(short);
    return target ?? (short === text ? undefined : short);
  };
  return (resource) => {
    const isTouched = named.size > 0 || referencesOf(resource).some((text) => relative(text) !== text);
    return isTouched ? relinked(resource, relink) : resource;
  };
}

async function conditionalTarget(
  work: Work,
  places: readonly Placed[],
  text: string,
  fhirBase: string,
): Promise<string> {
  const type = text.slice(0, text.indexOf('?'));
  if (!isStoredType(type)) throw unknown();
  const parameters = conditionParameters(type, text, fhirBase);
  const identifier = identifierOf(parameters);
  const among = places.find(
    ({ act }) => act.type === type && 'resource' in act && hasIdentifier(act.resource, identifier),
  );
  if (among !== undefined) return `${type}/${among.id}`;
  const found = isIdentity(type) ? await identityOf(work, identifier) : undefined;
  return found ?? (await searched(work, type, parameters));
}

async function searched({ deps, visit }: Work, type: StoredType, parameters: URLSearchParams): Promise<string> {
  const { row: match } = await matchOf(deps, visit, type, parameters);
  if (match === undefined) throw unknown();
  return `${type}/${match.id}`;
}

function unknown(): Fault {
  return new Fault('invalid', 'A conditional reference names nothing that is known');
}

type Named = { readonly system: string; readonly value: string } | undefined;

/** `system|value`, when the search is for one identifier and nothing else. */
function identifierOf(parameters: URLSearchParams): Named {
  const [only, ...others] = [...parameters];
  const [system, value, ...rest] = only?.[0] === 'identifier' ? only[1].split('|') : [];
  if (others.length > 0 || rest.length > 0 || system === undefined || value === undefined) return undefined;
  return { system, value };
}

function hasIdentifier(resource: Resource, named: Named): boolean {
  if (named === undefined || !('identifier' in resource)) return false;
  const identifiers = Array.isArray(resource.identifier) ? resource.identifier : [resource.identifier];
  return identifiers.some((one) => one?.system === named.system && one.value === named.value);
}

/** A Patient that its source names by the identifier there, whatever the state of its record. */
async function identityOf(work: Work, named: Named): Promise<string | undefined> {
  if (named === undefined) return undefined;
  const known = await findIdentity(work.deps.records, work.reading, named.system, named.value);
  if (known === undefined) return undefined;
  const facts = await subjectFacts(work.deps.records, work.reading, work.visit.requester, known);
  return writesAbout(work.visit.requester, facts, work.now) ? known.patient : undefined;
}
