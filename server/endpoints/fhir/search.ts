/** FHIR search by GET and POST, and with it ITI-67. @see https://hl7.org/fhir/R4/search.html */
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import { parseSearch } from '../../../profiles/search/query.ts';
import { fhirType, type StoredType } from '../../../profiles/types/visibility.ts';
import type { Visit } from '../../flows/guard.ts';
import { answerJson } from './answer.ts';
import { formatSearchset } from './bundles.ts';
import type { FhirDeps } from './deps.ts';
import { servedType } from './served.ts';
import { admit, handlingOf, readSearchParameters } from './request.ts';

const MAX_COUNT = 500;
const DEFAULT_COUNT = 50;
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
  const { type, parameters, handling } = asked;
  const parsed = parseSearch(type, parameters, { handling, maxCount: MAX_COUNT, defaultCount: DEFAULT_COUNT });
  const query = { ...parsed.query, include: parsed.query.include.filter(({ param }) => isIncluded(type, param)) };
  const ignored =
    query.include.length === parsed.query.include.length ? parsed.ignored : [...parsed.ignored, '_include'];
  if (handling === 'strict' && ignored.length > 0)
    throw new Fault('invalid', `This _include is not served on ${type}`, { expression: '_include' });
  const passage = fhirType(type).searchedAs ?? 'search';
  const page = await deps.search(visit, { query, text: `${type}?${parameters.toString()}`, passage });
  const self = selfUrl(deps.fhirBase(), type, parameters, ignored);
  return formatSearchset(page, deps.fhirBase(), self, ignored);
}

function isIncluded(type: StoredType, param: string): boolean {
  return servedType(type)?.includes?.includes(param) === true;
}

const OF_SEVERAL = ['_include', '_revinclude'];

/** The search as it was understood. An include among several that was ignored stays: the others were used. */
function selfUrl(fhirBase: string, type: StoredType, parameters: URLSearchParams, ignored: readonly string[]): URL {
  const used = [...parameters].filter(
    ([name]) => OF_SEVERAL.includes(name) || !ignored.includes(name.slice(0, MAX_NAME)),
  );
  const url = new URL(`${fhirBase}/${type}`);
  url.search = new URLSearchParams(used).toString();
  return url;
}
