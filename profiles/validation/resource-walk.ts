/**
 * Rules that hold for any element of any resource and that a JSON schema cannot say, checked in one walk: depth,
 * nulls, extensions (ext-1), one value[x], references to contained resources (ref-1), contained resources (dom-2 to
 * dom-5), periods (per-1), narratives (txt-1).
 * @see https://hl7.org/fhir/R4/datatypes.html, https://hl7.org/fhir/R4/domainresource.html
 */
import { parseDateRange } from '../search/date-range.ts';
import { Fault } from '../fault.ts';
import { isSafeNarrative } from './narrative.ts';

/** Deepest nesting of objects and arrays that is taken. */
export const MAX_DEPTH = 64;

/** A JSON object. */
export type JsonObject = { readonly [key: string]: unknown };

/** Called for each resource that is met, the outermost first, with its FHIRPath. */
export type OnResource = (resource: JsonObject, path: string) => void;

type Walk = {
  /** Property names and indexes from the root to the present element. */
  readonly path: (string | number)[];
  readonly root: string;
  readonly onResource: OnResource;
};

/** What a local reference may point at: the ids of the enclosing resource's contained ones. */
type Scope = ReadonlySet<string>;

const NO_IDS: Scope = new Set();

/** Narrows a JSON value to an object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Walks a resource and checks the rules of every element.
 * @throws {Fault} invalid - naming the FHIRPath of the first element that breaks a rule
 */
export function walkResource(resource: JsonObject, root: string, onResource: OnResource): void {
  walkObject({ path: [], root, onResource }, resource, NO_IDS);
}

function walkObject(walk: Walk, element: JsonObject, outer: Scope): void {
  if (walk.path.length > MAX_DEPTH) throw refuse(walk, `is nested deeper than ${MAX_DEPTH} levels`);
  const scope = typeof element['resourceType'] === 'string' ? enterResource(walk, element, outer) : outer;
  checkElement(walk, element, scope);
  for (const key in element) {
    const value = element[key];
    if (typeof value !== 'object') continue;
    walk.path.push(key);
    if (Array.isArray(value)) walkArray(walk, value, element[twinOf(key)], scope);
    else if (isJsonObject(value)) walkObject(walk, value, scope);
    else throw refuse(walk, 'must not be null');
    walk.path.pop();
  }
}

function walkArray(walk: Walk, items: readonly unknown[], twin: unknown, scope: Scope): void {
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (typeof item !== 'object') continue;
    walk.path.push(index);
    if (Array.isArray(item)) throw refuse(walk, 'must not be an array in an array');
    if (isJsonObject(item)) walkObject(walk, item, scope);
    else if (!Array.isArray(twin) || (twin[index] ?? null) === null) throw refuse(walk, 'must not be null');
    walk.path.pop();
  }
}

// A primitive `given` and the extensions of its values, `_given`, run side by side.
function twinOf(key: string): string {
  return key.startsWith('_') ? key.slice(1) : `_${key}`;
}

function enterResource(walk: Walk, resource: JsonObject, outer: Scope): Scope {
  const isContained = walk.path.at(-2) === 'contained';
  if (isContained) checkContained(walk, resource);
  walk.onResource(resource, pathOf(walk));
  return isContained ? outer : containedIds(walk, resource);
}

function containedIds(walk: Walk, { contained }: JsonObject): Scope {
  if (!Array.isArray(contained)) return NO_IDS;
  const ids = new Set<string>();
  for (const item of contained) {
    const id: unknown = isJsonObject(item) ? item['id'] : undefined;
    if (typeof id !== 'string') throw refuse(walk, 'has a contained resource without an id');
    if (ids.has(id)) throw refuse(walk, 'has two contained resources with one id');
    ids.add(id);
  }
  return ids;
}

function checkContained(walk: Walk, { contained, meta }: JsonObject): void {
  if (contained !== undefined) throw refuse(walk, 'must not contain resources, as it is contained itself (dom-2)');
  if (!isJsonObject(meta)) return;
  for (const name of ['versionId', 'lastUpdated', 'security']) {
    if (meta[name] !== undefined) throw refuse(walk, `must not have meta.${name}, as it is contained (dom-4, dom-5)`);
  }
}

function checkElement(walk: Walk, element: JsonObject, scope: Scope): void {
  const values = valuesOf(element);
  if (values.size > 1) throw refuse(walk, 'must have one value[x] only');
  const owner = walk.path.at(-2);
  if (owner === 'extension' || owner === 'modifierExtension') checkExtension(walk, element, values.size);
  if (owner === 'parameter' || owner === 'part') checkParameter(walk, element, values.size);
  const { reference, start, end, div } = element;
  if (
    typeof reference === 'string' &&
    reference.startsWith('#') &&
    reference !== '#' &&
    !scope.has(reference.slice(1))
  ) {
    throw refuse(walk, 'refers to a contained resource that is not there (ref-1)');
  }
  if (typeof start === 'string' && typeof end === 'string') checkPeriod(walk, start, end);
  if (typeof div === 'string' && walk.path.at(-1) === 'text' && !isSafeNarrative(div)) {
    throw refuse(walk, 'must hold a div with basic XHTML only (txt-1)');
  }
}

function valuesOf(element: JsonObject): ReadonlySet<string> {
  let values: Set<string> | undefined;
  for (const key in element) {
    if (/^_?value[A-Z]/.test(key) && key !== 'valueSet') (values ??= new Set()).add(key.replace('_', ''));
  }
  return values ?? NO_IDS;
}

function checkExtension(walk: Walk, { extension }: JsonObject, values: number): void {
  if ((extension === undefined) === (values === 0))
    throw refuse(walk, 'must have either a value or extensions (ext-1)');
}

function checkParameter(walk: Walk, { resource, part }: JsonObject, values: number): void {
  const contents = values + (resource === undefined ? 0 : 1) + (part === undefined ? 0 : 1);
  if (contents !== 1) throw refuse(walk, 'must have one of value, resource and part (inv-1)');
}

function checkPeriod(walk: Walk, start: string, end: string): void {
  const from = parseDateRange(start);
  const to = parseDateRange(end);
  if (from !== undefined && to !== undefined && from.lo >= to.hi)
    throw refuse(walk, 'must start before it ends (per-1)');
}

function refuse(walk: Walk, expectation: string): Fault {
  const path = pathOf(walk);
  return new Fault('invalid', `${path} ${expectation}`, { expression: path });
}

function pathOf({ root, path }: Walk): string {
  return toFhirPath(root, path);
}

/** Writes a path as FHIRPath: `ImagingStudy.series[0].uid`. A name that no element has shows as `?`. */
export function toFhirPath(root: string, path: readonly (string | number)[]): string {
  let text = root;
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(part) ? `.${part}` : '.?';
  }
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
