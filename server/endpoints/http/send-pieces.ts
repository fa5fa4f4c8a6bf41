/** Answers whose body is put together from bytes and ranges of blobs, as it is sent. */
import type { Context } from 'koa';
import { cutShort } from '../../flows/study/stored-data-set.ts';
import type { Pieces } from '../../flows/retrieve/bulk-bytes.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { Outflow } from './outflow.ts';
import { piecesAhead } from './pieces-ahead.ts';

/** What a body is made of. */
export type PiecesBody = {
  readonly images: Pick<ImageStore, 'reader'>;
  readonly pieces: Pieces;
  /** Asked before each read: throws when the rest may not be sent any more. */
  readonly decideAgain: () => Promise<void>;
};

/**
 * Sends the body of an answer whose headers are set. A failure before the first byte is thrown; after it the connection
 * is destroyed, so that no part passes for all, and the app is told.
 */
export async function sendPieces(ctx: Context, body: PiecesBody): Promise<void> {
  ctx.status = 200;
  ctx.respond = false;
  if (ctx.method === 'HEAD') return void ctx.res.end();
  try {
    await copyPieces(new Outflow(ctx.res), body);
  } catch (error) {
    if (!ctx.res.headersSent && !ctx.res.destroyed) {
      ctx.respond = true;
      ctx.remove('Content-Length');
      ctx.remove('Content-Encoding');
      throw error;
    }
    ctx.res.destroy();
    ctx.app.emit('error', error, ctx);
  }
}

async function copyPieces(out: Outflow, { images, pieces, decideAgain }: PiecesBody): Promise<void> {
  for await (const piece of piecesAhead(images, pieces)) {
    const { start, end } = piece;
    // Pieces are made ready ahead, so it is here that what may be sent is decided again.
    for (let position = start; position < end;) {
      await decideAgain();
      const length = await out.fill((room) => piece.read(room.subarray(0, end - position), position));
      if (length === 0) throw cutShort();
      position += length;
    }
  }
  await out.end();
}
