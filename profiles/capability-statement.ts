/**
 * The CapabilityStatement, generated from what is served: nothing is written here that a table elsewhere does not say.
 */
import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { MEDIA_TYPE } from './codes.ts';
import { searchParametersOf, type SearchParameterEntry } from './search/parameters.ts';
import { MAX_LINK_DEPTH } from './search/parse-criterion.ts';
import { sortsOf } from './search/parse-sort.ts';
import type { Referrer } from './search/referrers.ts';
import type { IsServed } from './search/used-parameters.ts';
import type { Interaction } from './types/fhir-type.ts';
import { fhirType, type StoredType } from './types/visibility.ts';

/** What is served of one type. */
export type ServedType = {
  readonly interactions: readonly Interaction[];
  readonly includes?: readonly string[];
  readonly revIncludes?: readonly Referrer[];
  /** Writes by a condition; a patch is where an update is. */
  readonly conditional: readonly ('create' | 'update' | 'delete')[];
  /** Operation name and canonical definition. */
  readonly operations?: readonly { readonly name: string; readonly definition: string }[];
};

/** What a statement is made from. Dates are ISO 8601. */
export type CapabilityFacts = {
  readonly served: ReadonlyMap<StoredType, ServedType>;
  /** Whether a search parameter finds every row of its type: else it is not announced. */
  readonly isServed: IsServed;
  readonly systemInteractions: readonly ('transaction' | 'batch')[];
  readonly version: string;
  readonly date: string;
  readonly fhirBase: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
};

/** Builds the statement. @see https://hl7.org/fhir/R4/capabilitystatement.html */
export function buildCapabilityStatement(facts: CapabilityFacts): CapabilityStatement {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: facts.date,
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json', MEDIA_TYPE.fhirJson],
    patchFormat: [MEDIA_TYPE.jsonPatch],
    software: { name: 'Passerelle', version: facts.version },
    implementation: { description: 'Passerelle, sharing of medical imaging', url: facts.fhirBase },
    rest: [
      {
        mode: 'server',
        documentation: RESULTS,
        security: securityOf(facts),
        resource: [...facts.served].map(([type, served]) => resourceOf(facts, type, served)),
        interaction: facts.systemInteractions.map((code) => ({ code })),
      },
    ],
  };
}

/** What no element of R4 says of all searches. */
const RESULTS =
  'Searches take _sort, _include, _revinclude, _elements, _summary (true, text, data, count, false) and _total ' +
  '(none, estimate, accurate), and conditions on other resources by chains and _has, ' +
  `up to ${MAX_LINK_DEPTH} references deep.`;

function securityOf({ authorizationEndpoint, tokenEndpoint }: CapabilityFacts) {
  return {
    cors: false,
    service: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] },
    ],
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [
          { url: 'authorize', valueUri: authorizationEndpoint },
          { url: 'token', valueUri: tokenEndpoint },
        ],
      },
    ],
  };
}

function resourceOf(facts: CapabilityFacts, type: StoredType, served: ServedType): CapabilityStatementRestResource {
  const { isServed } = facts;
  const includes = served.includes?.filter((code) => isServed(type, code));
  const revIncludes = served.revIncludes?.filter(({ source, param }) => isServed(source, param));
  const parameters = searchParametersOf(type).filter(({ code }) => isServed(type, code));
  const isSearched = served.interactions.includes('search-type');
  return {
    type,
    versioning: 'versioned',
    readHistory: served.interactions.includes('history-instance'),
    interaction: served.interactions.map((code) => ({ code })),
    ...conditionsOf(served),
    ...(isSearched ? { documentation: orderOf(facts, type), searchParam: parameters.map(toSearchParam) } : {}),
    ...(includes === undefined ? {} : { searchInclude: includes.map((param) => `${type}:${param}`) }),
    ...(revIncludes === undefined
      ? {}
      : { searchRevInclude: revIncludes.map(({ source, param }) => `${source}:${param}`) }),
    ...(served.operations === undefined ? {} : { operation: [...served.operations] }),
  };
}

/** A resource under an id that is not known is made by an update, where the client may choose it. */
function conditionsOf({ interactions, conditional }: ServedType): Partial<CapabilityStatementRestResource> {
  return {
    updateCreate: interactions.includes('update'),
    conditionalCreate: conditional.includes('create'),
    conditionalRead: interactions.includes('read') ? 'full-support' : 'not-supported',
    conditionalUpdate: conditional.includes('update'),
    conditionalDelete: conditional.includes('delete') ? 'single' : 'not-supported',
  };
}

/** No element of R4 says by what a type is sorted. */
function orderOf({ isServed }: CapabilityFacts, type: StoredType): string {
  const sorts = sortsOf(type).filter((code) => isServed(type, code));
  return `_sort by ${sorts.join(', ')}; without it by -${fhirType(type).sort.by}.`;
}

function toSearchParam({ code, type, definition }: SearchParameterEntry) {
  return { name: code, type, definition };
}
