/** Patient/$ihe-pix by GET and POST: ITI-83 of PIXm. @see IHE PIXm 3.1, 2:3.83 */
import type { Context } from 'koa';
import { parseCrossReferenceBody, parseCrossReferenceUrl } from '../../../ihe/iti-83/request.ts';
import type { CrossReferenceQuery } from '../../../ihe/iti-83/request.ts';
import { buildCrossReferenceAnswer } from '../../../ihe/iti-83/response.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Visit } from '../../flows/guard.ts';
import { answerJson } from './answer.ts';
import type { FhirDeps } from './deps.ts';
import { admit, readBodyResource, requireJsonFormat } from './request.ts';

const ATTEMPT = { interaction: 'operation', operation: 'ihe-pix' } as const;

/** In: sourceIdentifier (token), targetSystem (uri), in the URL. Out: Parameters. */
export async function getCrossReference(deps: FhirDeps, ctx: Context): Promise<void> {
  const { visit } = await admit(deps, ctx, ATTEMPT);
  await answer(deps, ctx, visit, parseCrossReferenceUrl(new URLSearchParams(ctx.querystring)));
}

/** In: the same as Parameters. */
export async function postCrossReference(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, ATTEMPT);
  const body = await readBodyResource(deps, ctx, admitted);
  if (body.resourceType !== 'Parameters')
    throw new Fault('invalid', 'The body is not a Parameters resource', { expression: 'resourceType' });
  for (const { name, valueString = '' } of body.parameter ?? []) if (name === '_format') requireJsonFormat(valueString);
  await answer(deps, ctx, admitted.visit, parseCrossReferenceBody(body));
}

async function answer(deps: FhirDeps, ctx: Context, visit: Visit, query: CrossReferenceQuery): Promise<void> {
  const found = await deps.crossReference(visit, { ...query, text: `Patient/$ihe-pix?${textOf(query)}` });
  answerJson(ctx, 200, JSON.stringify(buildCrossReferenceAnswer(found)));
}

function textOf({ source: { system, value }, targets }: CrossReferenceQuery): string {
  const asked = new URLSearchParams({ sourceIdentifier: `${system}|${value}` });
  for (const target of targets) asked.append('targetSystem', target);
  return asked.toString();
}
