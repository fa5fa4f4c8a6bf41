/** FHIR search by GET and POST, and with it ITI-67. @see https://hl7.org/fhir/R4/search.html */
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { parseSearch } from '../../../profiles/search-query.ts';
import type { StoredType } from '../../../profiles/visibility.ts';
import { formatSearchset } from './bundles.ts';
import type { FhirDeps } from './deps.ts';
import { handlingOf, readSearchParameters, requireJsonAnswer } from './request.ts';

const MAX_COUNT = 500;
const DEFAULT_COUNT = 50;

/** Answers a search on a type. */
export async function search(deps: FhirDeps, ctx: Context, type: StoredType): Promise<void> {
  const visit = await deps.identify(ctx, deps.fhirBase());
  requireJsonAnswer(ctx);
  const parameters = await readSearchParameters(ctx, deps.maxBodyBytes);
  const options = { handling: handlingOf(ctx), maxCount: MAX_COUNT, defaultCount: DEFAULT_COUNT } as const;
  const { query, ignored } = parseSearch(type, parameters, options);
  const passage = type === 'DocumentReference' ? 'iti-67' : 'search';
  const page = await deps.search(visit, { query, text: `${type}?${parameters.toString()}`, passage });
  const self = new URL(`${deps.fhirBase()}/${type}?${parameters.toString()}`);
  ctx.status = 200;
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  ctx.body = formatSearchset(page, deps.fhirBase(), self, ignored);
}
