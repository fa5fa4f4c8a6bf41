/** A reader that takes an answer slowly, and notes when its bytes came. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bounds, Chunk, Times } from './history.ts';

/** Between two chunks, each of 64 KB at most: 4 MB in a second. */
const PAUSE_MS = 15;

/**
 * The next decision is half a second away at most, and on its way is what server/endpoints/http/outflow.ts holds and
 * what a system keeps for the two ends of a connection.
 */
export const STREAM_BOUNDS: Bounds = { decidesWithinMs: 1_000, bufferBytes: 576 * 1024 + 4 * 1024 * 1024 };

/** Takes the answer to its end, or until it is cut. */
export async function takeSlowly(
  url: string,
  path: string,
  token: string,
): Promise<Times & { readonly chunks: readonly Chunk[] }> {
  const begin = performance.now();
  const chunks: Chunk[] = [];
  const headers = { Authorization: `Bearer ${token}`, Accept: 'multipart/related; type="application/dicom"' };
  const asked = request(url + path, { headers, agent: false });
  try {
    const [response] = (await once(asked.end(), 'response')) as [IncomingMessage];
    if (response.statusCode === 200)
      for await (const chunk of response) {
        chunks.push({ at: performance.now(), bytes: (chunk as Buffer).length });
        await pause(PAUSE_MS);
      }
    else response.resume();
  } catch {
    // It was cut.
  }
  return { begin, end: performance.now(), chunks };
}
