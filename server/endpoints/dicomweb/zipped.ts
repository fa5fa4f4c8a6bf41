/** The gzip of bytes that come in groups of parts. */
import { constants, createGzip, type Gzip } from 'node:zlib';

/**
 * Groups that fit are compressed from one buffer: fresh ones for all of them make the collector run again and again.
 */
const ROOM_BYTES = 512 * 1024;

/**
 * Compresses each group in one step, and the next one when that is read. The fastest level makes headers of a series
 * twenty times smaller.
 */
export async function* zipped(groups: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  // The consumer sees the error: it reads what comes out.
  feed(gzip, groups).catch((error: Error) => gzip.destroy(error));
  yield* gzip as AsyncIterable<Uint8Array>;
}

async function feed(gzip: Gzip, groups: AsyncIterable<readonly Uint8Array[]>): Promise<void> {
  const room = Buffer.allocUnsafeSlow(ROOM_BYTES);
  for await (const parts of groups) await written(gzip, joined(parts, room));
  gzip.end();
}

async function written(gzip: Gzip, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    gzip.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}

function joined(parts: readonly Uint8Array[], room: Uint8Array): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > room.length) return Buffer.concat(parts);
  let at = 0;
  for (const part of parts) {
    room.set(part, at);
    at += part.length;
  }
  return room.subarray(0, length);
}
