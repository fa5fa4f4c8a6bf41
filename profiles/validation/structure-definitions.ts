/**
 * The pruned FHIR definitions. The FHIRPath engine keeps them in a table of its own module; this file is the only
 * place that fills it.
 */
import { indexSearchParameterBundle, indexStructureDefinitionBundle, isDataTypeLoaded } from '@medplum/core';
import type { Bundle, SearchParameter, StructureDefinition } from '@medplum/fhirtypes';

/** StructureDefinitions (resource and data types, snapshots only) and the SearchParameters of the stored types. */
export type Definitions = {
  readonly structureDefinitions: readonly StructureDefinition[];
  readonly searchParameters: readonly SearchParameter[];
};

/** Gives the definitions to the FHIRPath engine; later calls in the same thread change nothing. */
export function indexDefinitions(definitions: Definitions): void {
  if (isDataTypeLoaded('ImagingStudy')) return;
  indexStructureDefinitionBundle([...definitions.structureDefinitions]);
  const bundle: Bundle<SearchParameter> = {
    resourceType: 'Bundle',
    type: 'collection',
    entry: definitions.searchParameters.map((resource) => ({ resource })),
  };
  indexSearchParameterBundle(bundle);
}
