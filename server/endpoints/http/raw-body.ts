/** Request bodies as bytes, within a limit. */
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import { HTTP_CODE } from './outcome.ts';

/** A look at the beginning of a body that has more than `atBytes`; it throws when the rest must not be read. */
export type Checkpoint = { readonly atBytes: number; readonly pass: (beginning: Buffer) => void };

/**
 * Reads the whole body of a request. One that is announced as too large is not read at all; of any other nothing is
 * kept beyond the limit. What is left unread is the business of unread-body.ts.
 * @throws {Fault} too-long - more than `maxBytes`
 * @throws {Fault} not-supported (unsupported-media-type) - the body is compressed
 */
export async function readRawBody(ctx: Context, maxBytes: number, checkpoint?: Checkpoint): Promise<Buffer> {
  const encoding = ctx.get('Content-Encoding').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity') {
    throw new Fault('not-supported', 'A compressed body is not accepted', {
      protocolCode: HTTP_CODE.unsupportedMediaType,
    });
  }
  if ((ctx.request.length ?? 0) > maxBytes) throw tooLong(maxBytes);
  const tooSlow = setTimeout(() => ctx.req.destroy(), MAX_BODY_MS);
  try {
    return await gather(ctx, maxBytes, checkpoint);
  } finally {
    clearTimeout(tooSlow);
  }
}

/** A body that drips longer than this loses its connection. */
const MAX_BODY_MS = 30_000;

async function gather(ctx: Context, maxBytes: number, checkpoint: Checkpoint | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  let isPassed = checkpoint === undefined;
  // The connection must outlive a refusal: it carries the answer.
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length > maxBytes) throw tooLong(maxBytes);
    chunks.push(chunk as Buffer);
    if (isPassed || checkpoint === undefined || length <= checkpoint.atBytes) continue;
    checkpoint.pass(Buffer.concat(chunks).subarray(0, checkpoint.atBytes));
    isPassed = true;
  }
  return Buffer.concat(chunks);
}

function tooLong(maxBytes: number): Fault {
  return new Fault('too-long', `The body exceeds ${maxBytes} bytes`);
}
