/** The part of the R4 definitions that the server loads: its own types, what FHIRPath and search need of them. */
import type { Bundle, ElementDefinition, Resource, SearchParameter, StructureDefinition } from '@medplum/fhirtypes';
import type { Definitions } from '../../profiles/validation/structure-definitions.ts';

/** Elements that the published package adds to R4 for its own server. */
export const NOT_R4 = {
  Binary: ['url'],
  Meta: ['project', 'author', 'onBehalfOf', 'account', 'accounts', 'compartment', 'deleted'],
  OperationOutcome: ['resource', 'status'],
  Reference: ['resource'],
} as const satisfies Record<string, readonly string[]>;

/** Says whether R4 itself has no such element: `path` as in `Meta.project`. */
export function isForeign(path: string): boolean {
  return Object.entries(NOT_R4).some(([type, names]) => names.some((name) => path === `${type}.${name}`));
}

type Sources = {
  /** Bundles of StructureDefinition: data types, then resources. */
  readonly types: Bundle;
  readonly resources: Bundle;
  readonly searchParameters: Bundle;
};

/** Keeps the data types, the named resource types, and the search parameters of the latter. */
export function pruneDefinitions(sources: Sources, resourceTypes: readonly string[]): Definitions {
  const wanted = new Set([...resourceTypes, 'Resource', 'DomainResource']);
  const types = resourcesOf(sources.types).filter(isStructureDefinition);
  const resources = resourcesOf(sources.resources)
    .filter(isStructureDefinition)
    .filter((definition) => wanted.has(definition.type) && definition.derivation !== 'constraint');
  return {
    structureDefinitions: [...types, ...resources].map(pruneStructure),
    searchParameters: resourcesOf(sources.searchParameters)
      .filter((resource) => resource.resourceType === 'SearchParameter')
      .filter((parameter) => parameter.base.some((type) => wanted.has(type)))
      .map((parameter) => pruneParameter(parameter, wanted)),
  };
}

function resourcesOf(bundle: Bundle): readonly Resource[] {
  return (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
}

function isStructureDefinition(resource: Resource): resource is StructureDefinition {
  return resource.resourceType === 'StructureDefinition';
}

function pruneStructure(definition: StructureDefinition): StructureDefinition {
  const { resourceType, id, url, name, status, kind, abstract, type, baseDefinition, derivation } = definition;
  const elements = (definition.snapshot?.element ?? []).filter(({ path }) => !isForeign(path)).map(pruneElement);
  return dropUndefined({
    resourceType,
    id,
    url,
    name,
    status,
    kind,
    abstract,
    type,
    baseDefinition,
    derivation,
    snapshot: { element: elements },
  });
}

function pruneElement(element: ElementDefinition): ElementDefinition {
  const { id, path, min, max, base, contentReference, type, constraint, binding, isModifier, isSummary } = element;
  const kept = (constraint ?? []).filter(({ severity }) => severity === 'error');
  return dropUndefined({
    id,
    path,
    min,
    max,
    base,
    contentReference,
    type,
    constraint:
      kept.length === 0
        ? undefined
        : kept.map(({ key, severity, human, expression }) => dropUndefined({ key, severity, human, expression })),
    binding:
      binding?.strength === 'required'
        ? dropUndefined({ strength: binding.strength, valueSet: binding.valueSet })
        : undefined,
    isModifier,
    isSummary,
  });
}

function pruneParameter(parameter: SearchParameter, wanted: ReadonlySet<string>): SearchParameter {
  const { resourceType, id, url, name, status, description, code, base, type, expression, target } = parameter;
  return dropUndefined({
    resourceType,
    id,
    url,
    name,
    status,
    description,
    code,
    base: base.filter((name) => wanted.has(name)),
    type,
    expression,
    target: target?.filter((name) => wanted.has(name)),
  });
}

// The copy has the keys of the original, less those without a value.
function dropUndefined<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
