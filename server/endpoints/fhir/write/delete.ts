/** FHIR delete, by id and by condition. @see https://hl7.org/fhir/R4/http.html#delete */
import type { Context } from 'koa';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import { aimOf } from './aim.ts';
import type { FhirDeps } from '../deps.ts';
import { admit } from '../request.ts';
import { answerWritten } from './answer.ts';

/** Answers DELETE on a resource, or without an id on the one of a condition. */
export async function deleteResource(deps: FhirDeps, ctx: Context, type: StoredType, id?: string): Promise<void> {
  const { visit } = await admit(deps, ctx, { interaction: 'delete', type });
  const result = await deps.write(visit, { interaction: 'delete', type, ...aimOf(ctx, id) });
  await answerWritten(deps, ctx, visit, result);
}
