/** Bytes of a running answer, decided anew as they are sent: a slow reader must not outrun a withdrawal. */
import { Readable } from 'node:stream';
import type { Clock } from '../ports/clock.ts';

/** What was decided longer ago than this is decided again. */
export const STALE_MS = 500;

/** Asks again when the last answer is stale. `decide` throws when the rest may not be sent any more. */
export function decidingAgain({ now }: Clock, decide: () => Promise<void>): () => Promise<void> {
  let decided = now();
  return async () => {
    if (now() - decided <= STALE_MS) return;
    const asked = now();
    await decide();
    decided = asked;
  };
}

/** The same bytes, of which none is given before it was asked again. It ends in an error where the answer is no. */
export function decidedStream(body: Readable, decideAgain: () => Promise<void>): Readable {
  const decided = Readable.from(decidedChunks(body, decideAgain), { objectMode: false, highWaterMark: 1 });
  // One that is given up before its first byte never reaches the end of the bytes.
  return decided.once('close', () => body.destroy());
}

async function* decidedChunks(body: Readable, decideAgain: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    await decideAgain();
    yield chunk as Uint8Array;
  }
}
