/** Answers of the FHIR door. */
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';

/** Answers JSON text. */
export function answerJson(ctx: Context, status: number, json: string): void {
  ctx.status = status;
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  ctx.body = json;
}

/** Answers without a body: nothing that is no FHIR content is sent. */
export function answerNothing(ctx: Context, status: number): void {
  ctx.body = '';
  ctx.status = status;
  ctx.remove('Content-Type');
}
