/** A command's end of the control socket. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Fault } from '../../profiles/fault.ts';
import { CONTROL_VERSION, controlPath, type ControlLine, type ControlQuestion } from './protocol.ts';

/** A question to a running server. */
export type Asked = { readonly dataDir: string; readonly command: string; readonly args: unknown; readonly onProgress?: (progress: unknown) => void };

/** What came back: `undefined` when no server runs on the folder. */
export type Answered = { readonly answer: unknown } | undefined;

/**
 * Asks the server of a data folder.
 * @throws {Fault} whatever the server answered; transient - it went away in the middle
 */
export async function askServer({ dataDir, command, args, onProgress }: Asked): Promise<Answered> {
  const socket = await opened(controlPath(dataDir));
  if (socket === undefined) return undefined;
  socket.write(`${JSON.stringify({ version: CONTROL_VERSION, command, args } satisfies ControlQuestion)}\n`);
  try {
    for await (const text of createInterface({ input: socket })) {
      const line = JSON.parse(text) as ControlLine;
      if ('progress' in line) onProgress?.(line.progress);
      else if ('fault' in line) throw new Fault(line.fault.kind, line.fault.message);
      else return { answer: line.answer };
    }
  } finally {
    socket.destroy();
  }
  throw new Fault('transient', 'The server went away before it answered');
}

/** Tells whether a server answers a socket. */
export async function canConnect(path: string): Promise<boolean> {
  const socket = await opened(path);
  socket?.destroy();
  return socket !== undefined;
}

async function opened(path: string): Promise<Socket | undefined> {
  const socket = connect(path);
  return await once(socket, 'connect').then(
    () => socket.on('error', () => undefined),
    () => undefined,
  );
}
