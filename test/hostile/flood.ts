/** A sender that does not stop, and what the server spends on it: bytes that it takes, and time of the processor. */
import { readFileSync } from 'node:fs';
import { gather, openRaw, type RawAnswer } from '../support/clients/raw-http.ts';
import type { TestServer } from '../support/server.ts';

/** Sends a head, then a piece of body again and again until the server ends the connection or `most` bytes are sent. */
export async function flood({ url }: TestServer, head: string, piece: Buffer, most = Infinity): Promise<RawAnswer> {
  const socket = openRaw(url);
  const answer = gather(socket, 10_000);
  socket.write(head);
  let sent = 0;
  const { promise: isOver, resolve } = Promise.withResolvers<void>();
  const send = (): void => {
    let isTaken = true;
    while (isTaken && sent < most && socket.writable) {
      isTaken = socket.write(piece);
      sent += piece.length;
    }
    if (isTaken) resolve();
  };
  socket.on('drain', send).on('close', resolve);
  send();
  await isOver;
  return await answer;
}

/** Bytes that the server's process has read so far, from sockets and files. @see proc(5), /proc/pid/io */
export function takenBytes({ pid }: TestServer): number {
  return Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** Milliseconds that the server's process has run so far, in all its threads. @see proc(5), /proc/pid/stat */
export function ranMilliseconds({ pid }: TestServer): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, , , , , , , , , , , user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return ((user ?? 0) + (system ?? 0)) * MILLISECONDS_A_TICK;
}

/** Linux counts in hundredths of a second. */
const MILLISECONDS_A_TICK = 10;
