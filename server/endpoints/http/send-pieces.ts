/** Answers whose body is put together from bytes and ranges of blobs, as it is sent. */
import type { Context } from 'koa';
import { cutShort } from '../../flows/stored-data-set.ts';
import type { Pieces } from '../../flows/bulk-bytes.ts';
import type { BlobReader, BlobRange, ImageStore } from '../../ports/image-store.ts';
import { Outflow } from './outflow.ts';

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
  const files = new OpenBlob(images);
  try {
    for await (const piece of pieces) {
      if (piece instanceof Uint8Array) await out.add(piece);
      else await copyRange(out, await files.open(piece.name), piece, decideAgain);
    }
    await out.end();
  } finally {
    await files.close();
  }
}

async function copyRange(out: Outflow, reader: BlobReader, { start, end }: BlobRange, decideAgain: () => Promise<void>): Promise<void> {
  for (let position = start; position < end; ) {
    const room = await out.room();
    await decideAgain();
    const length = await reader.read(room.subarray(0, end - position), position);
    if (length === 0) throw cutShort();
    out.filled(length);
    position += length;
  }
}

/** The blob that was read last: pieces of one follow each other. */
class OpenBlob {
  readonly #images: PiecesBody['images'];
  #name: string | undefined;
  #reader: BlobReader | undefined;

  constructor(images: PiecesBody['images']) {
    this.#images = images;
  }

  async open(name: string): Promise<BlobReader> {
    if (this.#reader !== undefined && this.#name === name) return this.#reader;
    await this.close();
    this.#reader = await this.#images.reader(name);
    this.#name = name;
    return this.#reader;
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
  }
}
