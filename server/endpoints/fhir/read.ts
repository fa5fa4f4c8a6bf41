/** FHIR read and vread. @see https://hl7.org/fhir/R4/http.html#read */
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { VisibleRow } from '../../ports/record-store.ts';
import type { FhirDeps } from './deps.ts';
import { requireJsonAnswer } from './request.ts';

/** Answers a read, or with `version` a vread. */
export async function read(
  deps: FhirDeps,
  ctx: Context,
  type: StoredType,
  id: string,
  version?: string,
): Promise<void> {
  const visit = await deps.identify(ctx, deps.fhirBase());
  requireJsonAnswer(ctx);
  const row = await deps.read(visit, {
    type,
    id,
    ...(version === undefined ? {} : { version: versionNumber(version) }),
  });
  answerRow(ctx, row);
}

/** Answers a resource with its version; 304 when the client has it already. */
export function answerRow(ctx: Context, row: VisibleRow): void {
  ctx.set('ETag', `W/"${row.version}"`);
  ctx.set('Last-Modified', new Date(row.updated).toUTCString());
  if (
    ctx
      .get('If-None-Match')
      .split(',')
      .some((tag) => tag.trim() === `W/"${row.version}"`)
  ) {
    ctx.status = 304;
    return;
  }
  ctx.status = 200;
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  ctx.body = row.json;
}

function versionNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Fault('not-found', 'No such resource');
  return Number(text);
}
