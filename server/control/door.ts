/** The server's end of the control socket: open to the account of the server alone, as the data folder is. */
import { once } from 'node:events';
import { chmod, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Fault, toFault } from '../../profiles/fault.ts';
import type { Log } from '../log.ts';
import { canConnect } from './caller.ts';
import { CONTROL_LIMITS, CONTROL_VERSION, controlPath, type ControlLine, type ControlQuestion } from './protocol.ts';

/**
 * A command: its arguments have been checked by nobody. `tell` sends progress; the signal fires when the caller has gone or
 * the server stops.
 */
export type ControlCommand = (args: unknown, tell: (progress: unknown) => void, signal: AbortSignal) => Promise<unknown>;

/** What the door is given. */
export type ControlOptions = { readonly dataDir: string; readonly commands: Readonly<Record<string, ControlCommand>>; readonly log: Log };

/** The open door. */
export type ControlDoor = { close(): Promise<void> };

/** Opens the socket. A socket that a killed server left is replaced; that of another server which shares the folder is not. */
export async function openControl({ dataDir, commands, log }: ControlOptions): Promise<ControlDoor> {
  const path = controlPath(dataDir);
  if (await canConnect(path)) {
    log.warn({}, 'another server answers the control socket of this data folder');
    return { close: async () => undefined };
  }
  await unlink(path).catch(() => undefined);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const server = createServer((socket) => {
    const serving = serve(socket, commands, log, stopping.signal).finally(() => running.delete(serving));
    running.add(serving);
  });
  server.maxConnections = CONTROL_LIMITS.connections;
  await listen(server, path);
  return {
    close: async () => {
      server.close();
      stopping.abort();
      await Promise.all(running);
    },
  };
}

/** The folder lets nobody in; the mode says so of the socket, too. */
async function listen(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening').catch((cause: unknown) => {
    throw new Fault('invalid', `The control socket ${path} cannot be made: is the path of the data folder too long?`, { cause });
  });
  await chmod(path, 0o600);
}

async function serve(socket: Socket, commands: ControlOptions['commands'], log: Log, stopping: AbortSignal): Promise<void> {
  const gone = new AbortController();
  socket.on('error', () => undefined).once('close', () => gone.abort());
  const signal = AbortSignal.any([stopping, gone.signal]);
  const say = (line: ControlLine): void => void (socket.destroyed || socket.write(`${JSON.stringify(line)}\n`));
  try {
    const { command, args } = parseQuestion(await firstLine(socket));
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (run === undefined) throw new Fault('not-supported', 'The server does not know this command');
    say({ answer: (await run(args, (progress) => say({ progress }), signal)) ?? null });
  } catch (error) {
    const { kind, message } = toFault(error);
    if (kind === 'exception') log.error({ err: error }, 'a command failed');
    say({ fault: { kind, message } });
  }
  socket.end();
}

async function firstLine(socket: Socket): Promise<string> {
  const timer = setTimeout(() => socket.destroy(), CONTROL_LIMITS.questionMs);
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > CONTROL_LIMITS.lineBytes) socket.destroy();
  });
  try {
    for await (const line of createInterface({ input: socket })) return line;
    throw new Fault('invalid', 'No question came');
  } finally {
    clearTimeout(timer);
  }
}

function parseQuestion(line: string): ControlQuestion {
  const question = parseJson(line) as Partial<ControlQuestion> | null;
  if (question?.version !== CONTROL_VERSION) throw new Fault('not-supported', 'The command is of another version than the server');
  if (typeof question.command !== 'string') throw new Fault('invalid', 'The question names no command');
  return { version: CONTROL_VERSION, command: question.command, args: question.args };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Fault('invalid', 'The question is not JSON', { cause });
  }
}
