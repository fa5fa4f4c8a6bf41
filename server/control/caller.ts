/** A command's end of the control socket. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Fault } from '../../profiles/fault.ts';
import { linesOf } from './lines.ts';
import {
  CONTROL_LIMITS,
  CONTROL_VERSION,
  controlPath,
  type ControlLine,
  type ControlQuestion,
  type ControlSaid,
} from './protocol.ts';

/** A question to a running server. */
export type Asked = {
  readonly dataDir: string;
  readonly command: string;
  readonly args: unknown;
  readonly onProgress?: (progress: unknown) => void;
};

/** What came back: `undefined` when no server runs on the folder. */
export type Answered = { readonly answer: unknown } | undefined;

/** A question that goes on. */
export type Conversation = {
  /** Says something further; a promise resolves when more may be said. */
  say(what: unknown): Promise<void>;
  /** Says that this was all. */
  end(): void;
  /** Hangs up. */
  close(): void;
  /** The answer. @throws {Fault} whatever the server answered; transient - it went away in the middle */
  readonly answer: Promise<unknown>;
};

/**
 * Asks the server of a data folder.
 * @throws {Fault} whatever the server answered; transient - it went away in the middle; forbidden - it is another
 * account's
 */
export async function askServer(asked: Asked): Promise<Answered> {
  const conversation = await converse(asked);
  if (conversation === undefined) return undefined;
  conversation.end();
  return { answer: await conversation.answer };
}

/**
 * Begins a conversation with the server of a data folder; undefined when no server runs on it.
 * @throws {Fault} forbidden - it is another account's
 */
export async function converse({ dataDir, command, args, onProgress }: Asked): Promise<Conversation | undefined> {
  const socket = await opened(controlPath(dataDir));
  if (socket === undefined) return undefined;
  const send = async (line: ControlQuestion | ControlSaid): Promise<void> => {
    if (!socket.write(`${JSON.stringify(line)}\n`)) await drained(socket);
  };
  const answer = answerOf(socket, onProgress).finally(() => socket.destroy());
  // Whoever speaks may hear of it later.
  answer.catch(() => undefined);
  void send({ version: CONTROL_VERSION, command, args });
  return {
    say: async (say) => await send({ say }),
    end: () => void send({ end: true }),
    close: () => void socket.destroy(),
    answer,
  };
}

/** Resolves when more may be written, or never can. */
async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
    if (socket.closed) done();
  });
}

async function answerOf(socket: Socket, onProgress: Asked['onProgress']): Promise<unknown> {
  for await (const text of linesOf(socket, { first: CONTROL_LIMITS.lineBytes, further: CONTROL_LIMITS.lineBytes })) {
    const line = JSON.parse(text) as ControlLine;
    if ('progress' in line) onProgress?.(line.progress);
    else if ('fault' in line) throw new Fault(line.fault.kind, line.fault.message);
    else return line.answer;
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
  try {
    await once(socket, 'connect');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return undefined;
    throw new Fault('forbidden', `${path} is another account's: run the command under the account of the server`, {
      cause: error,
    });
  }
  return socket.on('error', () => undefined);
}
