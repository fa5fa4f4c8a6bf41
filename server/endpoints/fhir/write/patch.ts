/** FHIR patch, as JSON Patch. @see https://hl7.org/fhir/R4/http.html#patch */
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { readPatch } from '../../../../profiles/json-patch.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import { HTTP_CODE } from '../../http/outcome.ts';
import { aimOf } from './aim.ts';
import type { FhirDeps } from '../deps.ts';
import { admit, mediaTypeOf, readJson } from '../request.ts';
import { answerWritten } from './answer.ts';

/** Answers PATCH on a resource, or without an id on the one of a condition. */
export async function patch(deps: FhirDeps, ctx: Context, type: StoredType, id?: string): Promise<void> {
  const admitted = await admit(deps, ctx, { interaction: 'patch', type });
  requirePatchType(ctx);
  const operations = readPatch(await readJson(deps, ctx, admitted, [MEDIA_TYPE.jsonPatch]));
  const act = { interaction: 'patch', type, patch: operations, ...aimOf(ctx, id) } as const;
  await answerWritten(deps, ctx, admitted.visit, await deps.write(admitted.visit, act));
}

function requirePatchType(ctx: Context): void {
  if (mediaTypeOf(ctx) === MEDIA_TYPE.jsonPatch) return;
  ctx.set('Accept-Patch', MEDIA_TYPE.jsonPatch);
  throw new Fault('not-supported', `A patch is sent as ${MEDIA_TYPE.jsonPatch}; FHIRPath Patch is not supported`, {
    protocolCode: HTTP_CODE.unsupportedMediaType,
  });
}
