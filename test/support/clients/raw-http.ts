/** HTTP as bytes, for requests that no client library would send. */
import { connect, type Socket } from 'node:net';

/** What came back until the peer closed, or until nothing more came for a while. */
export type RawAnswer = { readonly text: string; readonly isClosed: boolean };

/** Sends bytes and gathers the answer. */
export async function sendRaw(url: string, bytes: string | Buffer, quietMs = 500): Promise<RawAnswer> {
  const socket = openRaw(url);
  socket.write(bytes);
  return await gather(socket, quietMs);
}

/** A connection to a server's HTTP address. */
export function openRaw(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  return socket;
}

/** Status codes of the answers in a text, in order. */
export function statusesOf({ text }: RawAnswer): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

/** Gathers what a connection receives; ends it after silence, or when enough has come. */
export async function gather(
  socket: Socket,
  quietMs: number,
  isEnough: (text: string) => boolean = () => false,
): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  let text = '';
  let timer = setTimeout(silent, quietMs);
  function silent(): void {
    socket.destroy();
    resolve({ text, isClosed: false });
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    clearTimeout(timer);
    timer = setTimeout(silent, isEnough(text) ? 0 : quietMs);
  });
  socket.on('close', () => {
    clearTimeout(timer);
    resolve({ text, isClosed: true });
  });
  return await promise;
}
