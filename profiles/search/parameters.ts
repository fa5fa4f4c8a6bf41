/** The closed table of search parameters, read off the files of the types. What is not there is not searched. */
import type { ParameterDefinition } from '../types/search-parameter.ts';
import { date, token } from '../types/search-parameter.ts';
import { fhirType, isStoredType, STORED_TYPES } from '../types/visibility.ts';
import type { StoredType } from '../types/visibility.ts';

export type { ParameterType } from '../types/search-parameter.ts';

/** One search parameter of one type. `targets` are types that are stored. */
export type SearchParameterEntry = Omit<ParameterDefinition, 'targets'> & {
  readonly targets?: readonly StoredType[];
};

const EVERY_TYPE: readonly ParameterDefinition[] = [
  token('_id', 'Resource-id'),
  // R4 writes `Resource.meta.lastUpdated`, which the FHIRPath engine does not take for a subtype.
  { ...date('_lastUpdated', 'Resource-lastUpdated'), expression: 'meta.lastUpdated' },
];

function entryOf({ targets, ...parameter }: ParameterDefinition): SearchParameterEntry {
  if (targets === undefined) return parameter;
  return { ...parameter, targets: targets === 'any' ? STORED_TYPES : targets.filter(isStoredType) };
}

const BY_CODE: ReadonlyMap<StoredType, ReadonlyMap<string, SearchParameterEntry>> = new Map(
  STORED_TYPES.map((type) => {
    const entries = [...EVERY_TYPE, ...fhirType(type).parameters].map(entryOf);
    return [type, new Map(entries.map((entry) => [entry.code, entry]))];
  }),
);

/**
 * The search parameters of a type, `_id` and `_lastUpdated` first. @see
 * https://hl7.org/fhir/R4/searchparameter-registry.html
 */
export function searchParametersOf(type: StoredType): readonly SearchParameterEntry[] {
  return [...(BY_CODE.get(type)?.values() ?? [])];
}

/** The search parameter of a type by its code, or another spelling of it; undefined when there is none. */
export function findSearchParameter(type: StoredType, code: string): SearchParameterEntry | undefined {
  const { otherSpellings = {} } = fhirType(type);
  const spelt = Object.hasOwn(otherSpellings, code) ? otherSpellings[code] : undefined;
  return BY_CODE.get(type)?.get(spelt ?? code);
}
