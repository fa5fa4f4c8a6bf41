/**
 * What a resource says of others: the links that a transaction replaces when its resources get their ids.
 * @see https://hl7.org/fhir/R4/http.html#trules
 */
import { getElementDefinition } from '@medplum/core';
import type { Resource } from '@medplum/fhirtypes';

/** The new text of a link, or undefined where it stays. */
export type Relink = (text: string, kind: 'reference' | 'uri') => string | undefined;

/** Primitive types that may name a resource of the transaction. */
const LINKS = ['uri', 'url', 'oid', 'uuid', 'canonical'];

type Json = { [member: string]: unknown };

/**
 * A copy of a resource in which links have their new texts: references, elements of the types uri, url, oid, uuid and
 * canonical, links and images of the narrative; those of extensions and contained resources, too.
 */
export function relinked<R extends Resource>(resource: R, relink: Relink): R {
  return relinkedObject(resource as unknown as Json, resource.resourceType, relink) as unknown as R;
}

function relinkedObject(element: Json, type: string | undefined, relink: Relink): Json {
  const own = typeof element['resourceType'] === 'string' ? element['resourceType'] : type;
  return Object.fromEntries(
    Object.entries(element).map(([name, value]) => [name, relinkedValue(value, { owner: own, name }, relink)]),
  );
}

type Place = { readonly owner: string | undefined; readonly name: string };

function relinkedValue(value: unknown, place: Place, relink: Relink): unknown {
  if (Array.isArray(value)) return value.map((one) => relinkedValue(one, place, relink));
  if (typeof value === 'string') return relinkedText(value, place, relink);
  if (typeof value !== 'object' || value === null) return value;
  return relinkedObject(value as Json, typeOf(place), relink);
}

function relinkedText(text: string, place: Place, relink: Relink): string {
  const { owner, name } = place;
  if (owner === 'Reference' && name === 'reference') return relink(text, 'reference') ?? text;
  if (owner === 'Narrative' && name === 'div') return relinkedNarrative(text, relink);
  // Most texts are no links, and to look up a type costs more than to see that.
  if (!/^(?:urn:|https?:)/.test(text) || relink(text, 'uri') === undefined) return text;
  return LINKS.includes(typeOf(place) ?? '') ? (relink(text, 'uri') ?? text) : text;
}

const NARRATIVE_LINK = /(\s(?:href|src)\s*=\s*)(?:"([^"]*)"|'([^']*)')/g;

function relinkedNarrative(div: string, relink: Relink): string {
  return div.replaceAll(NARRATIVE_LINK, (whole, start: string, double?: string, single?: string) => {
    const link = relink(double ?? single ?? '', 'uri');
    return link === undefined ? whole : `${start}"${link}"`;
  });
}

/** The type of an element by the definitions of R4; undefined where there is none. */
function typeOf({ owner, name }: Place): string | undefined {
  if (name.startsWith('_')) return 'Element';
  if (name === 'extension' || name === 'modifierExtension') return 'Extension';
  if (owner === undefined) return undefined;
  const types = getElementDefinition(owner, name)?.type ?? [];
  return types.length === 1 ? types[0]?.code : choiceOf(owner, name);
}

/** The type of one of the choices of a `value[x]`. */
function choiceOf(owner: string, name: string): string | undefined {
  for (let at = name.length - 1; at > 0; at -= 1) {
    if (!/[A-Z]/.test(name[at] ?? '')) continue;
    const suffix = name.slice(at).toLowerCase();
    const types = getElementDefinition(owner, `${name.slice(0, at)}[x]`)?.type ?? [];
    const choice = types.find(({ code }) => code.toLowerCase() === suffix);
    if (choice !== undefined) return choice.code;
  }
  return undefined;
}

/** A reference that names its target by a search: `Patient?identifier=…`. */
export function isConditional(reference: string): boolean {
  return /^[A-Z][A-Za-z]{1,63}\?./.test(reference);
}

/** The texts of all references of a resource, those of contained resources and extensions included. */
export function referencesOf(resource: Resource): readonly string[] {
  const found: string[] = [];
  gatherReferences(resource, found);
  return found;
}

/** No other element of R4 has a text that is named so. */
function gatherReferences(value: object, found: string[]): void {
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    if (typeof member === 'object' && member !== null) gatherReferences(member, found);
    else if (name === 'reference' && typeof member === 'string') found.push(member);
  }
}
