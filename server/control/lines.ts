/** Lines of text on a socket, with limits. */
import { on } from 'node:events';
import type { Socket } from 'node:net';
import { Fault } from '../../profiles/fault.ts';

/** The longest first line and the longest further one, in bytes. */
export type LineLimits = { readonly first: number; readonly further: number };

const NEWLINE = 0x0a;
/** So many chunks wait to be taken before the other side is held back. */
const MOST_CHUNKS = 64;

/**
 * Lines as they come, until the other side ends; an unfinished one at the end is dropped.
 * @throws {Fault} too-long - a line is longer than its limit
 * @throws {Fault} transient - the signal fires, or the connection breaks
 */
export async function* linesOf(
  socket: Socket,
  { first, further }: LineLimits,
  signal?: AbortSignal,
): AsyncGenerator<string, void> {
  let parts: Buffer[] = [];
  let [length, limit] = [0, first];
  for await (const chunk of chunksOf(socket, signal)) {
    for (let rest = chunk; rest.length > 0;) {
      const end = rest.indexOf(NEWLINE);
      const part = end < 0 ? rest : rest.subarray(0, end);
      parts.push(part);
      length += part.length;
      if (length > limit) throw new Fault('too-long', `A line has at most ${limit} bytes`);
      rest = rest.subarray(part.length + 1);
      if (end < 0) continue;
      yield Buffer.concat(parts).toString();
      [parts, length, limit] = [[], 0, further];
    }
  }
}

async function* chunksOf(socket: Socket, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void> {
  const options = {
    close: ['end', 'close'],
    highWaterMark: MOST_CHUNKS,
    lowWaterMark: 1,
    ...(signal === undefined ? {} : { signal }),
  };
  try {
    for await (const [chunk] of on(socket, 'data', options)) yield chunk as Buffer;
  } catch (cause) {
    throw new Fault('transient', 'The connection has ended', { cause });
  }
}
