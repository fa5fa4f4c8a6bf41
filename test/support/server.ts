/** A server process of the product, as a user starts it: the line of `npm start`, its ready line, its signals. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeArguments } from './run/npm-scripts.ts';

/** How the server is started. Without `dataDir` a fresh folder is made and removed at `stop`. */
export type ServerOptions = {
  /** `sqlite` or the URI of a MongoDB database. */
  readonly store?: string;
  readonly dataDir?: string;
  /** Further variables, without their prefix. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program that runs the server, and its arguments, as `strace -o file`. */
  readonly under?: readonly string[];
  /** The checkout whose server is started; without it this one. */
  readonly root?: string;
  /** What follows `npm start --`. */
  readonly args?: readonly string[];
};

/** A running server. */
export type TestServer = {
  readonly url: string;
  readonly dimse: { readonly host: string; readonly port: number; readonly aeTitle: string };
  /** Present when DICOM over TLS is configured. */
  readonly dimseTls?: TestServer['dimse'];
  readonly dataDir: string;
  readonly pid: number;
  /** What it has written to stderr. */
  readonly log: () => string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL; the data folder stays. */
  kill(): Promise<void>;
};

const ROOT = new URL('../..', import.meta.url).pathname;

/** Starts a server on free ports of loopback, in development, with the demonstration region. */
export async function startServer({
  store = 'sqlite',
  dataDir,
  env = {},
  under = [],
  root = ROOT,
  args: further = [],
}: ServerOptions = {}): Promise<TestServer> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'passerelle-')));
  const settings = {
    DEVELOPMENT: '1',
    HTTP_PORT: '0',
    DIMSE_PORT: '0',
    DIMSE_TLS_PORT: '0',
    STUDY_QUIET_SECONDS: '1',
    LOG_LEVEL: 'warn',
    DATA_DIR: folder,
    STORE: store,
    ...env,
  };
  const variables = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`PASSERELLE_${name}`, value]));
  const [program = process.execPath, ...args] = [
    ...under,
    process.execPath,
    ...nodeArguments('start', root),
    ...further,
  ];
  const child = spawn(program, args, {
    cwd: root,
    env: { PATH: process.env['PATH'], ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ready = await readyLine(child, () => log);
  const remove = async (): Promise<void> =>
    dataDir === undefined ? await rm(folder, { recursive: true, force: true }) : undefined;
  return {
    url: `http://127.0.0.1:${ready.http.port}`,
    dimse: ready.dimse,
    ...(ready.dimseTls === undefined ? {} : { dimseTls: ready.dimseTls }),
    dataDir: folder,
    pid: child.pid ?? 0,
    log: () => log,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await remove();
      return child.exitCode;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

type Ready = {
  readonly http: { readonly port: number };
  readonly dimse: TestServer['dimse'];
  readonly dimseTls?: TestServer['dimse'];
};

async function readyLine(child: ChildProcess, log: () => string): Promise<Ready> {
  if (child.stdout === null) throw new Error('The server has no stdout');
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code]: unknown[]) =>
    Promise.reject(new Error(`The server ended with ${String(code)}:\n${log()}`)),
  );
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  ended.catch(() => undefined);
  return JSON.parse(line) as Ready;
}
