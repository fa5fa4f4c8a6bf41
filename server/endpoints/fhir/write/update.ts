/** FHIR update, by id and by condition. @see https://hl7.org/fhir/R4/http.html#update */
import type { Context } from 'koa';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import type { FhirDeps } from '../deps.ts';
import { aimOf } from './aim.ts';
import { admit, readBodyResource } from '../request.ts';
import { resourceOfType } from '../served.ts';
import { answerWritten } from './answer.ts';

/** Answers PUT on a resource, or without an id on the one of a condition. */
export async function update(deps: FhirDeps, ctx: Context, type: StoredType, id?: string): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'update', type });
  const resource = resourceOfType(await readBodyResource(deps, ctx, admitted), type);
  const act = { interaction: 'update', type, resource, ...aimOf(ctx, id) } as const;
  await answerWritten(deps, ctx, admitted.visit, await deps.write(admitted.visit, act));
}
