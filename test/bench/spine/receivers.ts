/** The three storage SCPs that are compared, each fresh, on free ports, in a folder of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { startServer } from '../../support/server.ts';

/** A receiver that listens. */
export type Receiver = {
  readonly callingAE: string;
  readonly calledAE: string;
  readonly port: number;
  /** Largest resident set so far, in MB. */
  peakMB(): Promise<number>;
  stop(): Promise<void>;
};

/** Whether DCMTK's sockets send at once (`TCP_NODELAY=1`): at both ends, as either end alone stalls 40 ms an image. */
export type Wire = { readonly noDelay: boolean };

/** The environment of a DCMTK program. */
export function wireEnv(noDelay: boolean): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], ...(noDelay ? { TCP_NODELAY: '1' } : {}) };
}

/** The receivers by name. */
export const RECEIVERS: Readonly<Record<string, (wire: Wire) => Promise<Receiver>>> = { passerelle, storescp, orthanc };

/** Tells whether the peers of the comparison are installed. */
export function missingPeers(): string[] {
  return ['storescu', 'storescp', 'Orthanc'].filter((name) => spawnSync('which', [name]).status !== 0);
}

async function passerelle(): Promise<Receiver> {
  const server = await startServer({ env: { STUDY_QUIET_SECONDS: '60' } });
  const { pid, dimse } = server;
  return {
    callingAE: ESTABLISHMENTS.strasbourg.aeTitle,
    calledAE: dimse.aeTitle,
    port: dimse.port,
    peakMB: async () => await peakOf(pid),
    stop: async () => void (await server.stop()),
  };
}

async function storescp({ noDelay }: Wire): Promise<Receiver> {
  const env = wireEnv(noDelay);
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-storescp-'));
  const port = await freePort();
  const child = spawn('storescp', ['--fork', '--output-directory', folder, String(port)], { stdio: 'ignore', env });
  return await listening(child, folder, { port, calledAE: 'STORESCP' });
}

/** Orthanc as it is configured by default, open to every sender. */
async function orthanc({ noDelay }: Wire): Promise<Receiver> {
  const env = wireEnv(noDelay);
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-orthanc-'));
  const port = await freePort();
  const config = {
    Name: 'bench',
    StorageDirectory: join(folder, 'storage'),
    IndexDirectory: join(folder, 'storage'),
    HttpPort: await freePort(),
    DicomPort: port,
    AuthenticationEnabled: false,
    RemoteAccessAllowed: false,
    DicomAlwaysAllowStore: true,
    Plugins: [],
  };
  await mkdir(config.StorageDirectory);
  await writeFile(join(folder, 'orthanc.json'), JSON.stringify(config));
  const child = spawn('Orthanc', [join(folder, 'orthanc.json')], { stdio: 'ignore', env });
  return await listening(child, folder, { port, calledAE: 'ORTHANC' });
}

async function listening(child: ChildProcess, folder: string, { port, calledAE }: { port: number; calledAE: string }): Promise<Receiver> {
  const end = Date.now() + 15_000;
  while (!(await accepts(port))) {
    if (Date.now() > end || child.exitCode !== null) throw new Error(`${calledAE} does not listen`);
    await wait(50);
  }
  return {
    callingAE: 'BENCH',
    calledAE,
    port,
    peakMB: async () => await peakOf(child.pid ?? 0),
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return await new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as boolean;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The high water mark of a process's resident set; NaN where the system does not tell. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024);
}
