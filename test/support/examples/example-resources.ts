/**
 * Example resources of a type, made from its StructureDefinition: together they have a value for every element that
 * can have one. Invariants are met by trying: an element that makes an example invalid begins one of its own.
 */
import type { ElementDefinition, Resource } from '@medplum/fhirtypes';
import { searchParametersOf } from '../../../profiles/search/parameters.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { LoadedDefinitions } from '../../../server/runtime/definitions.ts';
import { valuesOf, type FindTarget, type Json } from './example-values.ts';

/**
 * A value that an element may get. `path` is below the resource, the type of a choice in its last name; `instead` is
 * the name under which a required choice has another type by default.
 */
type Candidate = {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly isRequired: boolean;
  readonly instead?: string;
};

/** The elements of a type. `lists` are the paths of those that repeat, `parts` of required parts with elements. */
type Shape = {
  readonly type: StoredType;
  readonly candidates: readonly Candidate[];
  readonly lists: ReadonlySet<string>;
  readonly parts: readonly (readonly string[])[];
};

/** What the examples are made with. */
export type ExampleOptions = {
  /** A reference to one of some types; undefined leaves the element out. Without it the first type has an example. */
  readonly findTarget?: FindTarget;
  /** Elements of the resource that are left out. */
  readonly without?: readonly string[];
};

/** More than a type needs: an element of eleven types makes as many. */
const MAX_EXAMPLES = 24;

const LEFT_OUT = ['id', 'meta', 'implicitRules', 'language', 'text', 'contained', 'extension', 'modifierExtension'];

/**
 * Makes valid examples of a type, with ids of their own. The first has as many elements as go together, each further
 * one what did not fit before. Values are the same at each call.
 */
export function exampleResources(
  type: StoredType,
  loaded: Pick<LoadedDefinitions, 'validate' | 'definitions'>,
  { findTarget = (types) => `${types[0] ?? 'Patient'}/example`, without = [] }: ExampleOptions = {},
): readonly (Resource & { readonly id: string })[] {
  const shape = shapeOf(type, loaded, findTarget);
  const isValid = (resource: Json): boolean => passes(loaded, resource);
  const examples: (Resource & { readonly id: string })[] = [];
  let waiting: readonly Candidate[] = shape.candidates.filter(({ path }) => !without.includes(path[0] ?? ''));
  while (waiting.length > 0 && examples.length < MAX_EXAMPLES) {
    const { resource, refused } = fill(shape, `${type}-${examples.length + 1}`, waiting, isValid);
    // The validator has just said that it is a resource.
    if (isValid(resource)) examples.push(resource as unknown as Resource & { readonly id: string });
    if (refused.length === waiting.length) break;
    waiting = refused;
  }
  return examples;
}

function passes({ validate }: Pick<LoadedDefinitions, 'validate'>, resource: Json): boolean {
  try {
    validate(resource);
    return true;
  } catch {
    return false;
  }
}

function shapeOf(type: StoredType, { definitions }: Pick<LoadedDefinitions, 'definitions'>, find: FindTarget): Shape {
  const structure = definitions.structureDefinitions.find((one) => one.kind === 'resource' && one.type === type);
  const elements = (structure?.snapshot?.element ?? [])
    .slice(1)
    .filter(({ path = '' }) => !path.split('.').some((name) => LEFT_OUT.includes(name)));
  const lists = elements.filter(({ max }) => max !== '1').map(({ path = '' }) => path.slice(type.length + 1));
  const candidates = elements.flatMap((element) => candidatesOf(type, element, find));
  const parts = elements
    .filter(({ min = 0, type: types }) => min > 0 && types?.[0]?.code === 'BackboneElement')
    .map(({ path = '' }) => path.split('.').slice(1));
  return { type, candidates: [...candidates, ...extensionsOf(type)], lists: new Set([...lists, 'extension']), parts };
}

/** One for each type and each target of a reference. Parts of their own (BackboneElement) come with their elements. */
function candidatesOf(type: StoredType, element: ElementDefinition, find: FindTarget): readonly Candidate[] {
  const path = (element.path ?? '').split('.').slice(1);
  const owner = path.slice(0, -1);
  const last = path.at(-1) ?? '';
  const found = (element.type ?? []).flatMap((one) => {
    const name = last.replace('[x]', () => capitalised(one.code ?? ''));
    return valuesOf(type, [...owner, last], one, find).map((value) => ({ path: [...owner, name], value }));
  });
  const isRequired = (element.min ?? 0) > 0;
  const instead = found[0]?.path.at(-1) ?? '';
  return found.map((one, at) => {
    if (!isRequired || at === 0) return { ...one, isRequired };
    return { ...one, isRequired: false, ...(last.endsWith('[x]') ? { instead } : {}) };
  });
}

/** The extensions that parameters of ours look at. */
function extensionsOf(type: StoredType): readonly Candidate[] {
  const urls = searchParametersOf(type).flatMap(
    ({ expression = '' }) => /\.extension\.where\(url = '([^']+)'\)/.exec(expression)?.[1] ?? [],
  );
  return urls.map((url) => ({ path: ['extension'], value: { url, valueString: 'Example' }, isRequired: false }));
}

/** Gives a new resource what it requires, then each value that leaves it valid. */
function fill(
  shape: Shape,
  id: string,
  waiting: readonly Candidate[],
  isValid: (resource: Json) => boolean,
): { readonly resource: Json; readonly refused: readonly Candidate[] } {
  const least: Json = { resourceType: shape.type, id };
  addRequired(shape, least, []);
  let resource = isValid(least) ? least : completed(shape, least, isValid);
  const refused: Candidate[] = [];
  for (const candidate of waiting) {
    const next = withValue(shape, resource, candidate);
    if (next !== undefined && isValid(next)) resource = next;
    else refused.push(candidate);
  }
  return { resource, refused };
}

/** What is required where invariants ask for one of several elements. */
function completed(shape: Shape, least: Json, isValid: (resource: Json) => boolean): Json {
  for (const candidate of shape.candidates) {
    const next = withValue(shape, least, candidate);
    if (next !== undefined && isValid(next)) return next;
  }
  return least;
}

/** A copy with one more value, in the first item of each list on the way; undefined when the element has one. */
function withValue(shape: Shape, resource: Json, { path, value, instead }: Candidate): Json | undefined {
  const copy = structuredClone(resource);
  let place = copy;
  let isNew = false;
  for (const depth of path.slice(0, -1).keys()) {
    isNew = place[path[depth] ?? ''] === undefined;
    place = partAt(shape, place, path.slice(0, depth + 1));
  }
  if (isNew && instead !== undefined) delete place[instead];
  return setValue(shape, place, path, value) ? copy : undefined;
}

function partAt(shape: Shape, place: Json, path: readonly string[]): Json {
  const name = path.at(-1) ?? '';
  const isList = shape.lists.has(path.join('.'));
  const standing = isList ? (place[name] as Json[] | undefined)?.[0] : (place[name] as Json | undefined);
  if (standing !== undefined) return standing;
  const part: Json = {};
  place[name] = isList ? [part] : part;
  addRequired(shape, part, path);
  return part;
}

function addRequired(shape: Shape, place: Json, owner: readonly string[]): void {
  for (const { path, value, isRequired } of shape.candidates) {
    const isHere = path.length === owner.length + 1 && owner.every((name, at) => path[at] === name);
    if (isHere && isRequired) setValue(shape, place, path, value);
  }
  for (const path of shape.parts) {
    const isHere = path.length === owner.length + 1 && owner.every((name, at) => path[at] === name);
    if (isHere) partAt(shape, place, path);
  }
}

function setValue(shape: Shape, place: Json, path: readonly string[], value: unknown): boolean {
  const name = path.at(-1) ?? '';
  const isList = shape.lists.has(path.join('.'));
  const standing = (isList ? (place[name] as unknown[] | undefined)?.[0] : place[name]) as unknown;
  // A required element has its value since its part is there.
  if (JSON.stringify(standing) === JSON.stringify(value)) return true;
  if (standing !== undefined && !isList) return false;
  place[name] = isList ? [...((place[name] as unknown[] | undefined) ?? []), value] : value;
  return true;
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
