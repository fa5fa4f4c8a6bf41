/** Request bodies as bytes, within a limit. */
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import { HTTP_CODE } from './outcome.ts';

/**
 * Reads the whole body of a request. A body that is announced too large is not read at all.
 * @throws {Fault} too-long - more than `maxBytes`
 * @throws {Fault} not-supported (unsupported-media-type) - the body is compressed
 */
export async function readRawBody(ctx: Context, maxBytes: number): Promise<Buffer> {
  const encoding = ctx.get('Content-Encoding').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity') {
    throw new Fault('not-supported', 'A compressed body is not accepted', { protocolCode: HTTP_CODE.unsupportedMediaType });
  }
  if ((ctx.request.length ?? 0) > maxBytes) throw tooLong(ctx, maxBytes);
  const tooSlow = setTimeout(() => ctx.req.destroy(), MAX_BODY_MS);
  try {
    return await gather(ctx, maxBytes);
  } finally {
    clearTimeout(tooSlow);
  }
}

/** A body that drips longer than this loses its connection. */
const MAX_BODY_MS = 30_000;

async function gather(ctx: Context, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The connection must outlive a refusal: it carries the answer.
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length > maxBytes) throw tooLong(ctx, maxBytes);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** The rest of the body is not read, so the connection cannot carry another request. */
function tooLong(ctx: Context, maxBytes: number): Fault {
  ctx.set('Connection', 'close');
  return new Fault('too-long', `The body exceeds ${maxBytes} bytes`);
}
