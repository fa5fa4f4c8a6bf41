/** Read of a Binary: ITI-68 gives the document itself; a client that asks for FHIR JSON gets it as base64. */
import { text } from 'node:stream/consumers';
import type { Context } from 'koa';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { OpenedDocument } from '../../flows/read/open-binary.ts';
import { HTTP_CODE } from '../http/outcome.ts';
import type { FhirDeps } from './deps.ts';

/** Documents larger than this are given as they are only. */
const MAX_JSON_BYTES = 16 * 1024 * 1024;

/** Answers a read of a Binary. @see https://hl7.org/fhir/R4/binary.html#rest */
export async function readBinary(deps: FhirDeps, ctx: Context, id: string): Promise<void> {
  const visit = await deps.identify(ctx, deps.fhirBase());
  const document = await deps.openBinary(visit, id);
  if (wantsResource(ctx)) return await answerResource(ctx, id, document);
  if (ctx.accepts(document.contentType) === false) {
    document.body.destroy();
    throw new Fault('not-supported', 'The document is of another media type', {
      protocolCode: HTTP_CODE.notAcceptable,
    });
  }
  ctx.status = 200;
  ctx.set('Content-Type', document.contentType);
  ctx.set('Content-Length', String(document.size));
  ctx.set('Content-Disposition', 'attachment');
  ctx.set('Content-Security-Policy', "default-src 'none'; sandbox");
  ctx.body = document.body;
}

/** Only an Accept header that names FHIR JSON asks for the resource. */
function wantsResource(ctx: Context): boolean {
  return ctx.get('Accept').toLowerCase().includes(MEDIA_TYPE.fhirJson);
}

async function answerResource(ctx: Context, id: string, { body, contentType, size }: OpenedDocument): Promise<void> {
  if (size > MAX_JSON_BYTES) {
    body.destroy();
    throw new Fault('too-costly', 'The document is too large to be given as JSON; ask for its own media type');
  }
  const data = await text(body.setEncoding('base64'));
  ctx.status = 200;
  ctx.set('Content-Type', `${MEDIA_TYPE.fhirJson}; charset=utf-8`);
  ctx.body = JSON.stringify({ resourceType: 'Binary', id, contentType, data });
}
