/** The gzip of bytes that come in groups of parts. */
import { constants, createGzip, type Gzip } from 'node:zlib';
import type { SpentBytes } from '../../ports/image-store.ts';
import { giveBack } from '../http/spent-bytes.ts';

/**
 * Groups that fit are compressed from one buffer: fresh ones for all of them make the collector run again and again.
 */
const ROOM_BYTES = 512 * 1024;

/**
 * Compresses each group in one step, and the next one when that is read. The fastest level makes headers of a series
 * twenty times smaller.
 */
export async function* zipped(groups: AsyncIterable<SpentBytes>): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  // The consumer sees the error: it reads what comes out.
  feed(gzip, groups).catch((error: Error) => gzip.destroy(error));
  yield* gzip as AsyncIterable<Uint8Array>;
}

async function feed(gzip: Gzip, groups: AsyncIterable<SpentBytes>): Promise<void> {
  const room = Buffer.allocUnsafeSlow(ROOM_BYTES);
  for await (const { spent } of groups) await written(gzip, joined(spent, room));
  gzip.end();
}

async function written(gzip: Gzip, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    gzip.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}

function joined(spent: readonly Uint8Array[], room: Uint8Array): Uint8Array {
  const length = spent.reduce((sum, part) => sum + part.length, 0);
  const target = length > room.length ? Buffer.allocUnsafeSlow(length) : room;
  let at = 0;
  for (const part of spent) {
    target.set(part, at);
    at += part.length;
    giveBack(part);
  }
  return target.subarray(0, length);
}
