/**
 * Parts of resources: `_elements` and `_summary`. What is left out is left out of a copy that says so (SUBSETTED).
 * @see https://hl7.org/fhir/R4/search.html#elements and #summary
 */
import type { ElementDefinition, Meta, Resource } from '@medplum/fhirtypes';
import type { Definitions } from '../validation/structure-definitions.ts';
import { STORED_TYPES, type StoredType } from '../types/visibility.ts';

/** Which part: named elements of the first level, or what a kind of summary has. */
export type Subset =
  { readonly kind: 'elements'; readonly names: readonly string[] } | { readonly kind: 'true' | 'text' | 'data' };

/** Subsets of each stored type. */
export type Subsets = {
  /** Whether a type has an element of the first level; one of several types (`value[x]`) by either name. */
  readonly hasElement: (type: StoredType, name: string) => boolean;
  /** The part of a resource, as JSON text. Elements that the definition requires are always there. */
  readonly of: (type: StoredType, json: string, subset: Subset) => string;
};

/** An element: whether it is in summaries, whether it must be there, and what the type itself has within it. */
type Node = {
  readonly name: string;
  readonly isSummary: boolean;
  readonly isMandatory: boolean;
  readonly within: Tree | undefined;
};

/** Elements by their names in JSON. */
type Tree = ReadonlyMap<string, Node>;

type Content = Readonly<Record<string, unknown>>;

const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

/** What no part of a resource lacks: without the last two it could be misunderstood. */
const ALWAYS = ['resourceType', 'id', 'meta', 'implicitRules', 'modifierExtension'];

/** Reads the tables off the definitions. Fails on definitions that lack a stored type. */
export function createSubsets({ structureDefinitions }: Definitions): Subsets {
  const byType = new Map(structureDefinitions.map((definition) => [definition.type, definition]));
  const trees = new Map(
    STORED_TYPES.map((type) => {
      const elements = byType.get(type)?.snapshot?.element;
      if (elements === undefined) throw new Error(`The definitions lack ${type}`);
      return [type, treeOf(elements, type)];
    }),
  );
  const tree = (type: StoredType): Tree => trees.get(type) ?? new Map();
  return {
    hasElement: (type, name) => [...tree(type)].some(([key, node]) => key === name || node.name === name),
    of: (type, json, subset) => {
      const whole = JSON.parse(json) as Content;
      return JSON.stringify(marked(withReferred(whole, partOf(tree(type), whole, subset))));
    },
  };
}

/** Whether a resource says that it is a part of one. */
export function isSubset({ meta }: Resource): boolean {
  return meta?.tag?.some(({ system, code }) => system === SUBSETTED.system && code === SUBSETTED.code) === true;
}

function treeOf(elements: readonly ElementDefinition[], path: string): Tree {
  const children = elements.filter(
    (element) => element.path?.replace(/\.[^.]+$/, '') === path && element.path !== path,
  );
  return new Map(
    children.flatMap((element) => {
      const childPath = element.path ?? '';
      const name = childPath.slice(path.length + 1).replace('[x]', '');
      const within = treeOf(elements, childPath);
      const node: Node = {
        name,
        isSummary: element.isSummary === true,
        isMandatory: (element.min ?? 0) > 0,
        within: within.size === 0 ? undefined : within,
      };
      return namesOf(element, name).map((key): [string, Node] => [key, node]);
    }),
  );
}

/** The names in JSON: an element of several types has one for each. */
function namesOf({ path = '', type = [] }: ElementDefinition, name: string): readonly string[] {
  if (!path.endsWith('[x]')) return [name];
  return type.map(({ code = '' }) => name + code.slice(0, 1).toUpperCase() + code.slice(1));
}

function partOf(tree: Tree, resource: Content, subset: Subset): Content {
  switch (subset.kind) {
    case 'true':
      return summaryOf(tree, resource);
    case 'data':
      return keep(resource, (key) => key !== 'text');
    case 'text':
      return keep(resource, (key) => key === 'text' || isKept(tree, key));
    case 'elements': {
      const { names } = subset;
      return keep(resource, (key) => names.includes(key) || isNamed(tree, key, names) || isKept(tree, key));
    }
  }
}

/** What is contained goes with the reference that leads to it, which would lead nowhere else. */
function withReferred(whole: Content, part: Content): Content {
  const { contained } = whole as { readonly contained?: readonly Resource[] };
  if (contained === undefined || 'contained' in part) return part;
  const referred = contained.filter(({ id }) => refersTo(part, `#${id}`));
  return referred.length === 0 ? part : { ...part, contained: referred };
}

function refersTo(value: unknown, reference: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ('reference' in value && value.reference === reference) return true;
  return Object.values(value).some((member) => refersTo(member, reference));
}

function isNamed(tree: Tree, key: string, names: readonly string[]): boolean {
  const name = tree.get(key)?.name;
  return name !== undefined && names.includes(name);
}

function isKept(tree: Tree, key: string): boolean {
  return ALWAYS.includes(key) || tree.get(key)?.isMandatory === true;
}

/** What a primitive has beside its value (`_birthDate`) goes with it. */
function keep(resource: Content, isIn: (key: string) => boolean): Content {
  return Object.fromEntries(Object.entries(resource).filter(([key]) => isIn(key.replace(/^_/, ''))));
}

function summaryOf(tree: Tree, content: Content): Content {
  const entries = Object.entries(content).flatMap(([key, value]): [string, unknown][] => {
    const node = tree.get(key.replace(/^_/, ''));
    if (node?.isSummary !== true && !isKept(tree, key)) return [];
    return [[key, node?.within === undefined ? value : summariesOf(node.within, value)]];
  });
  return Object.fromEntries(entries);
}

function summariesOf(tree: Tree, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => summariesOf(tree, item));
  return typeof value === 'object' && value !== null ? summaryOf(tree, value as Content) : value;
}

/** A copy of a resource that says that it is a part of it, once. */
export function marked(resource: Content): Content {
  if (isSubset(resource as unknown as Resource)) return resource;
  const { tag = [], ...meta } = (resource['meta'] ?? {}) as Meta;
  return { ...resource, meta: { ...meta, tag: [...tag, SUBSETTED] } };
}
