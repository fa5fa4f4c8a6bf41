/** A reader that takes an answer slowly, and notes when its bytes came. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bounds, Chunk, Stream } from './history.ts';

/** Between two chunks, each of 64 KB at most: 4 MB in a second. */
const PAUSE_MS = 15;

/**
 * The next decision is half a second away at most, and on its way is what server/endpoints/http/outflow.ts holds and
 * what a system keeps for the two ends of a connection.
 */
export const STREAM_BOUNDS: Bounds = { decidesWithinMs: 1_000, bufferBytes: 576 * 1024 + 4 * 1024 * 1024 };

/**
 * Takes the answer to its end, or until it is cut.
 * @throws {Error} neither the exam nor that there is none was answered
 */
export async function takeSlowly(
  url: string,
  path: string,
  token: string,
): Promise<Pick<Stream, 'begin' | 'end' | 'chunks' | 'saw'>> {
  const begin = performance.now();
  const chunks: Chunk[] = [];
  const headers = { Authorization: `Bearer ${token}`, Accept: 'multipart/related; type="application/dicom"' };
  const [response] = (await once(request(url + path, { headers, agent: false }).end(), 'response')) as [
    IncomingMessage,
  ];
  const { statusCode } = response;
  if (statusCode !== 200) {
    response.resume();
    if (statusCode !== 404) throw new Error(`A stream was answered ${statusCode}`);
    return { begin, end: performance.now(), chunks, saw: 'hidden' };
  }
  try {
    for await (const chunk of response) {
      chunks.push({ at: performance.now(), bytes: (chunk as Buffer).length });
      await pause(PAUSE_MS);
    }
    return { begin, end: performance.now(), chunks, saw: 'shown' };
  } catch {
    return { begin, end: performance.now(), chunks, saw: 'cut' };
  }
}
