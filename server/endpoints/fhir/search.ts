/** FHIR search by GET and POST, and with it ITI-67. @see https://hl7.org/fhir/R4/search.html */
import type { Context } from 'koa';
import { byOwnIdentifier } from '../../../ihe/iti-78/own-identifier.ts';
import { Fault } from '../../../profiles/fault.ts';
import { parseSearch, type ParsedSearch } from '../../../profiles/search/query.ts';
import { selectedDomains, UNKNOWN_DOMAIN, withinDomains } from '../../../ihe/iti-78/identifier-domains.ts';
import { fhirType, type StoredType } from '../../../profiles/types/visibility.ts';
import type { Visit } from '../../flows/guard.ts';
import { answerJson } from './answer.ts';
import { formatSearchset, type Searchset } from './bundles.ts';
import type { FhirDeps } from './deps.ts';
import { servedType } from './served.ts';
import { admit, handlingOf, readSearchParameters } from './request.ts';

const COUNTS = { maxCount: 500, defaultCount: 50 } as const;
/** Characters of a name in the list of those that were ignored. */
const MAX_NAME = 64;

/** Answers a search on a type. */
export async function search(deps: FhirDeps, ctx: Context, type: StoredType): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'search-type', type });
  const parameters = await readSearchParameters(deps, ctx, admitted);
  answerJson(ctx, 200, await searchText(deps, admitted.visit, { type, parameters, handling: handlingOf(ctx) }));
}

/** A search as it was asked. */
export type AskedSearch = {
  readonly type: StoredType;
  readonly parameters: URLSearchParams;
  readonly handling: 'strict' | 'lenient';
};

/** The searchset of a search, as JSON text. */
export async function searchText(deps: FhirDeps, visit: Visit, asked: AskedSearch): Promise<string> {
  const { type, parameters } = asked;
  const search = understood(deps, asked);
  const { query, ignored } = search;
  const passage = fhirType(type).searchedAs ?? 'search';
  const page = await deps.search(visit, { query, text: `${type}?${parameters.toString()}`, passage });
  const fhirBase = deps.fhirBase();
  const selfUrl = selfUrlOf(fhirBase, type, parameters, (name) => isUsed(name, search));
  const isKnown = selectedDomains(query)?.every(deps.isPatientDomain) ?? true;
  const warnings = isKnown ? [] : [UNKNOWN_DOMAIN];
  return formatSearchset(page, { fhirBase, selfUrl, ignored, warnings, textOf: textsOf(deps, search) });
}

/**
 * A search as the door takes it: without includes and elements that are not served.
 * @throws {Fault} invalid - strict, and something is not served
 */
function understood(deps: FhirDeps, { type, parameters, handling }: AskedSearch): ParsedSearch {
  const { subsets, isServed, affinityDomain } = deps;
  const parsed = parseSearch(type, parameters, { handling, isServed, ...COUNTS });
  const include = parsed.query.include.filter(({ param }) => isIncluded(type, param));
  const ignored = [...parsed.ignored];
  if (include.length < parsed.query.include.length) ignored.push('_include');
  let { subset } = parsed;
  if (subset?.kind === 'elements') {
    const names = subset.names.filter((name) => subsets.hasElement(type, name));
    if (names.length < subset.names.length || names.length === 0) ignored.push('_elements');
    subset = names.length === 0 ? undefined : { kind: 'elements', names };
  }
  const [unserved] = ignored;
  if (handling === 'strict' && unserved !== undefined)
    throw new Fault('invalid', `This ${unserved} is not served on ${type}`, { expression: unserved });
  const query = byOwnIdentifier({ ...parsed.query, include }, affinityDomain().ownSystem);
  return { query, ignored, ...(subset === undefined ? {} : { subset }) };
}

function isIncluded(type: StoredType, param: string): boolean {
  return servedType(type)?.includes?.includes(param) === true;
}

/**
 * Of what comes beside a page, summaries; named elements, and selected identifiers, are those of the type that is
 * searched.
 */
function textsOf({ subsets }: FhirDeps, { query, subset }: ParsedSearch): Searchset['textOf'] {
  const domains = selectedDomains(query);
  return ({ type, json }, mode) => {
    const shown = domains === undefined || mode === 'include' ? json : withinDomains(json, domains);
    if (subset === undefined || (mode === 'include' && subset.kind === 'elements')) return shown;
    return subsets.of(type, shown, subset);
  };
}

/** An include or element among several that was ignored stays in the link: the others were used. */
function isUsed(name: string, { query, subset, ignored }: ParsedSearch): boolean {
  if (name === '_include') return query.include.length > 0;
  if (name === '_revinclude') return query.revinclude !== undefined;
  if (name === '_elements') return subset?.kind === 'elements';
  return !ignored.includes(name.slice(0, MAX_NAME));
}

/** The search as it was understood. */
function selfUrlOf(
  fhirBase: string,
  type: StoredType,
  parameters: URLSearchParams,
  isIn: (name: string) => boolean,
): URL {
  const url = new URL(`${fhirBase}/${type}`);
  url.search = new URLSearchParams([...parameters].filter(([name]) => isIn(name))).toString();
  return url;
}
