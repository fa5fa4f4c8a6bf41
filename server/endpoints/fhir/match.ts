/** Patient/$match: ITI-119 of PDQm. @see IHE PDQm 3.2, 2:3.119 */
import type { Context } from 'koa';
import { parseMatchRequest } from '../../../ihe/iti-119/request.ts';
import { formatMatches } from '../../../ihe/iti-119/response.ts';
import { answerJson } from './answer.ts';
import type { FhirDeps } from './deps.ts';
import { admit, readBodyResource } from './request.ts';

/** In: resource (Patient), onlyCertainMatches (boolean), count (integer), or the Patient alone. Out: a searchset. */
export async function match(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'operation', operation: 'match' });
  const request = parseMatchRequest(await readBodyResource(deps, ctx, admitted));
  const matches = await deps.matchPatients(admitted.visit, request);
  answerJson(ctx, 200, formatMatches(matches, deps.fhirBase()));
}
