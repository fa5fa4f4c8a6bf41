/** The server's end of the control socket: open to the account of the server alone, as the data folder is. */
import { once } from 'node:events';
import { chmod, mkdtemp, rename, rmdir, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Fault, toFault } from '../../profiles/fault.ts';
import type { Log } from '../log.ts';
import { canConnect } from './caller.ts';
import { linesOf } from './lines.ts';
import { CONTROL_LIMITS, CONTROL_VERSION, controlPath, type ControlLine, type ControlQuestion } from './protocol.ts';

/**
 * A command: its arguments, and what is said after them, have been checked by nobody. `tell` sends progress; the signal
 * fires when the caller has gone or the server stops.
 */
export type ControlCommand = (
  args: unknown,
  tell: (progress: unknown) => void,
  signal: AbortSignal,
  said: AsyncIterable<unknown>,
) => Promise<unknown>;

/** What the door is given. */
export type ControlOptions = {
  readonly dataDir: string;
  readonly commands: Readonly<Record<string, ControlCommand>>;
  readonly log: Log;
};

/** The open door. */
export type ControlDoor = { close(): Promise<void> };

/** The longest path of a socket on every system that has one (`sun_path` of macOS; Linux takes four bytes more). */
const MAX_PATH_BYTES = 103;

/**
 * Opens the socket. A socket that a killed server left is replaced; that of another server which shares the folder is
 * not.
 */
export async function openControl({ dataDir, commands, log }: ControlOptions): Promise<ControlDoor> {
  const path = controlPath(dataDir);
  if (await canConnect(path)) {
    log.warn({}, 'another server answers the control socket of this data folder');
    return { close: async () => undefined };
  }
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const server = createServer((socket) => {
    const serving = serve(socket, commands, log, stopping.signal).finally(() => running.delete(serving));
    running.add(serving);
  });
  server.maxConnections = CONTROL_LIMITS.connections;
  await listen(server, dataDir, path);
  return {
    close: async () => {
      await unlink(path).catch(() => undefined);
      server.close();
      stopping.abort();
      await Promise.all(running);
    },
  };
}

/** The socket comes into being where nobody else can reach it, and takes its name when its mode is right. */
async function listen(server: Server, dataDir: string, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new Fault(
      'invalid',
      `The path of the data folder is too long for its control socket, which may have ${MAX_PATH_BYTES} bytes: ${path}`,
    );
  }
  const hidden = await mkdtemp(join(dataDir, 'c-'));
  const first = join(hidden, 's');
  server.listen(first);
  await once(server, 'listening');
  await chmod(first, 0o600);
  await rename(first, path);
  await rmdir(hidden);
}

async function serve(
  socket: Socket,
  commands: ControlOptions['commands'],
  log: Log,
  stopping: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  socket.on('error', () => undefined).once('close', () => gone.abort());
  const signal = AbortSignal.any([stopping, gone.signal]);
  const lines = linesOf(socket, { first: CONTROL_LIMITS.lineBytes, further: CONTROL_LIMITS.saidBytes }, signal);
  const say = (line: ControlLine): void => void (socket.destroyed || socket.write(`${JSON.stringify(line)}\n`));
  try {
    const { command, args } = parseQuestion(await firstLine(socket, lines));
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (run === undefined) throw new Fault('not-supported', 'The server does not know this command');
    say({ answer: (await run(args, (progress) => say({ progress }), signal, saidIn(lines))) ?? null });
  } catch (error) {
    const { kind, message } = toFault(error);
    if (kind === 'exception') log.error({ err: error }, 'a command failed');
    say({ fault: { kind, message } });
  }
  void lines.return();
  await hangUp(socket);
}

/** To close a socket that holds unread bytes would take the answer from the caller, so they are read, and dropped. */
async function hangUp(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const late = setTimeout(() => socket.destroy(), CONTROL_LIMITS.goodbyeMs);
  socket.end();
  socket.resume();
  await new Promise((resolve) => void socket.once('close', resolve));
  clearTimeout(late);
}

async function firstLine(socket: Socket, lines: AsyncGenerator<string, void>): Promise<string> {
  const timer = setTimeout(() => socket.destroy(), CONTROL_LIMITS.questionMs);
  try {
    const { value } = await lines.next();
    if (value === undefined) throw new Fault('invalid', 'No question came');
    return value;
  } finally {
    clearTimeout(timer);
  }
}

/** What the caller says after its question. @throws {Fault} transient - it went away before it had said all */
async function* saidIn(lines: AsyncIterable<string>): AsyncGenerator<unknown, void> {
  for await (const line of lines) {
    const said = parseJson(line) as Partial<{ say: unknown; end: true }> | null;
    if (said?.end === true) return;
    yield said?.say;
  }
  throw new Fault('transient', 'The caller went away');
}

function parseQuestion(line: string): ControlQuestion {
  const question = parseJson(line) as Partial<ControlQuestion> | null;
  if (question?.version !== CONTROL_VERSION)
    throw new Fault('not-supported', 'The command is of another version than the server');
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
