/** FHIR create, with If-None-Exist conditional. @see https://hl7.org/fhir/R4/http.html#create */
import type { Context } from 'koa';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { FhirDeps } from '../deps.ts';
import { admit, readBodyResource } from '../request.ts';
import { requireConditional, resourceOfType } from '../served.ts';
import { answerWritten } from './answer.ts';

/** Answers POST on a type. */
export async function create(deps: FhirDeps, ctx: Context, type: StoredType): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'create', type });
  const condition = ctx.get('If-None-Exist');
  const resource = resourceOfType(await readBodyResource(deps, ctx, admitted), type);
  if (condition !== '') requireConditional(type, 'create');
  const conditional = condition === '' ? {} : { condition };
  const act = { interaction: 'create', type, resource, ...conditional } as const;
  await answerWritten(deps, ctx, admitted.visit, await deps.write(admitted.visit, act));
}
