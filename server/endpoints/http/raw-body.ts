/** Request bodies as bytes, within a limit. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import { HTTP_CODE } from './outcome.ts';

/**
 * Reads the whole body of a request. Of one that is too large nothing is kept, and one that is announced as far too
 * large is not read at all.
 * @throws {Fault} too-long - more than `maxBytes`
 * @throws {Fault} not-supported (unsupported-media-type) - the body is compressed
 */
export async function readRawBody(ctx: Context, maxBytes: number): Promise<Buffer> {
  const encoding = ctx.get('Content-Encoding').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity') {
    throw new Fault('not-supported', 'A compressed body is not accepted', {
      protocolCode: HTTP_CODE.unsupportedMediaType,
    });
  }
  if ((ctx.request.length ?? 0) > OVERRUN * maxBytes) throw tooLong(ctx, maxBytes);
  const tooSlow = setTimeout(() => ctx.req.destroy(), MAX_BODY_MS);
  try {
    return await gather(ctx, maxBytes);
  } finally {
    clearTimeout(tooSlow);
  }
}

/** So many times what is allowed is read before the refusal. */
const OVERRUN = 2;

/** A body that drips longer than this loses its connection. */
const MAX_BODY_MS = 30_000;

async function gather(ctx: Context, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The connection must outlive a refusal: it carries the answer.
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length > maxBytes) break;
    chunks.push(chunk as Buffer);
  }
  if (length <= maxBytes) return Buffer.concat(chunks);
  await passOver(ctx.req, maxBytes);
  throw tooLong(ctx, maxBytes);
}

/**
 * Reads on for a moment, and keeps nothing: a connection that closes upon bytes nobody has read is reset, and takes the
 * answer with it.
 */
async function passOver(request: IncomingMessage, most: number): Promise<void> {
  let passed = 0;
  await new Promise<void>((resolve) => {
    setTimeout(resolve, MAX_OVERRUN_MS).unref();
    request
      .once('end', resolve)
      .once('close', resolve)
      .on('data', (chunk: Buffer) => {
        passed += chunk.length;
        if (passed > most) resolve();
      });
  });
}

/** How long what is over the limit may take. */
const MAX_OVERRUN_MS = 500;

/** The rest of a body may not have been read, so the connection cannot carry another request. */
function tooLong(ctx: Context, maxBytes: number): Fault {
  ctx.set('Connection', 'close');
  return new Fault('too-long', `The body exceeds ${maxBytes} bytes`);
}
