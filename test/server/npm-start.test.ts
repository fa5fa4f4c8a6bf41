/** The commands of package.json as a user runs them, through npm: how they end. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { scriptsOf } from '../support/run/npm-scripts.ts';
import { treeOf } from '../support/run/process-tree.ts';
import { startServer } from '../support/server.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

/** npm and what it runs. */
type Started = { readonly npm: ChildProcess; readonly pid: number; readonly text: () => string };

/** Whether a program may be process 1 of a namespace of its own, as in a container. */
const mayBeFirst = (): boolean => spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

describe('Commands through npm', function () {
  this.timeout(120_000);
  let folder: string;
  let started: number[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-npm-'));
    started = [];
  });
  afterEach(async () => {
    for (const pid of started.filter(isThere)) process.kill(pid, 'SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs npm in a process group of its own, without what an npm around this one has set. */
  const npm = (args: readonly string[], under: readonly string[] = []): Started => {
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      TMPDIR: folder,
      npm_config_update_notifier: 'false',
      PASSERELLE_DEVELOPMENT: '1',
      PASSERELLE_HTTP_PORT: '0',
      PASSERELLE_DIMSE_PORT: '0',
      PASSERELLE_DATA_DIR: join(folder, 'data'),
      PASSERELLE_LOG_LEVEL: 'info',
    };
    const [program = 'npm', ...rest] = [...under, 'npm', ...args];
    const child = spawn(program, rest, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const pid = child.pid ?? 0;
    started.push(pid);
    return { npm: child, pid, text: () => text };
  };

  /** Starts the server and waits for its ready line. */
  const start = async (under: readonly string[] = []) => {
    const running = npm(['start', '--silent'], under);
    const lines = createInterface({ input: running.npm.stdout ?? process.stdin });
    const [line] = (await Promise.race([once(lines, 'line'), once(running.npm, 'exit')])) as unknown[];
    const { http, dimse } = JSON.parse(String(line)) as Readonly<Record<'http' | 'dimse', { readonly port: number }>>;
    const server = treeOf(running.pid).at(-1) ?? 0;
    started.push(server);
    return { ...running, server, ports: [http.port, dimse.port] };
  };

  const expectClean = async ({ server, ports, text }: Awaited<ReturnType<typeof start>>): Promise<void> => {
    expect(isThere(server), 'the server is there').to.equal(false);
    expect(await Promise.all(ports.map(isTaken)), 'its ports are taken').to.deep.equal([false, false]);
    expect(text()).to.match(/"msg":"stopping"[^]*"msg":"stopped"/);
    // The lock of the data folder can be taken, and what is in it is whole.
    const next = await startServer({ dataDir: join(folder, 'data') });
    expect(await next.stop()).to.equal(0);
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`npm start ends at ${signal} to npm: the server is stopped first, and the exit code is 0`, async () => {
      const running = await start();
      running.npm.kill(signal);
      expect(await once(running.npm, 'exit')).to.deep.equal([0, null]);
      await expectClean(running);
    });

    it(`npm start ends at ${signal} to the process group, as a terminal or a service manager sends it`, async () => {
      const running = await start();
      process.kill(-running.pid, signal);
      expect(await once(running.npm, 'exit')).to.deep.equal([0, null]);
      await expectClean(running);
    });

    it(`npm start ends at ${signal} as process 1 of a container`, async function first() {
      if (!mayBeFirst()) this.skip();
      const running = await start(['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']);
      const [, inside = 0] = treeOf(running.pid);
      process.kill(inside, signal);
      expect(await once(running.npm, 'exit')).to.deep.equal([0, null]);
      await expectClean(running);
    });
  }

  it('npm start ends at SIGTERM to the server', async () => {
    const running = await start();
    process.kill(running.server, 'SIGTERM');
    expect(await once(running.npm, 'exit')).to.deep.equal([0, null]);
    await expectClean(running);
  });

  it('npm start stops the server when npm is killed', async () => {
    const running = await start();
    running.npm.kill('SIGKILL');
    await once(running.npm, 'exit');
    await gone([running.server]);
    await expectClean(running);
  });

  it('take the place of the shell, so that npm tells them and waits for them', () => {
    const lines = Object.values(scriptsOf());
    expect(lines).to.have.length.greaterThan(10);
    expect(lines.filter((line) => !line.startsWith('exec '))).to.deep.equal([]);
  });

  it('npm start stops a server that is still starting', async () => {
    const running = npm(['start', '--silent']);
    const [server = 0] = await eventually(async () => found(running.pid, 'server/start.mjs'));
    started.push(server);
    running.npm.kill('SIGTERM');
    await once(running.npm, 'exit');
    expect(isThere(server)).to.equal(false);
    const next = await startServer({ dataDir: join(folder, 'data') });
    expect(await next.stop()).to.equal(0);
  });

  /** Imports a study of many images into the folder of a server that is stopped; resolves when some are in. */
  const startImport = async (): Promise<Started> => {
    const [archive, dataDir] = [join(folder, 'archive'), join(folder, 'data')];
    await (await startServer({ dataDir })).stop();
    await mkdir(archive);
    for (const { sopInstanceUID, bytes } of aStudy({ key: 'npm/import', instances: 1_000 }).instances()) {
      await writeFile(join(archive, `${sopInstanceUID}.dcm`), bytes);
    }
    const running = npm(['run', '--silent', 'import', '--', archive, '--organization', 'demo-strasbourg']);
    await eventually(async () => (imported(join(dataDir, 'import-journal.sqlite')) > 0 ? true : undefined), 60);
    started.push(...treeOf(running.pid));
    return running;
  };

  for (const [to, told] of [
    ['npm', 1],
    ['the process group, which npm passes on', -1],
  ] as const) {
    it(`npm run import finishes what is under way at SIGINT to ${to}, and reports`, async () => {
      const running = await startImport();
      process.kill(told * running.pid, 'SIGINT');
      expect(await once(running.npm, 'exit')).to.deep.equal([2, null]);
      expect(running.text()).to.match(/^\d+ imported in/m);
      expect(running.text()).to.include('The import was interrupted: start it again to go on');
    });
  }

  it('npm run import ends when npm is killed', async () => {
    const running = await startImport();
    const all = treeOf(running.pid);
    running.npm.kill('SIGKILL');
    await gone(all);
    expect(running.text()).to.include('The import was interrupted');
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`npm run demo ends with its server at ${signal} to npm`, async () => {
      const running = npm(['run', '--silent', 'demo', '--', '--port', '0', '--dimse-port', '0']);
      await eventually(async () => running.text().includes('The server listens') || undefined, 60);
      const all = treeOf(running.pid);
      started.push(...all);
      expect(all.filter((pid) => commandOf(pid).includes('server/start.mjs'))).to.have.length(1);
      running.npm.kill(signal);
      await gone(all);
    });
  }

  it('npm run demo sends nothing when its server is still starting, ends, and takes its folder away', async () => {
    const running = npm(['run', '--silent', 'demo', '--', '--port', '0', '--dimse-port', '0']);
    await eventually(async () => found(running.pid, 'server/start.mjs'), 60);
    const all = treeOf(running.pid);
    started.push(...all);
    running.npm.kill('SIGTERM');
    await gone(all);
    expect(running.text()).not.to.include('C-STORE');
    expect((await readdir(folder)).filter((name) => name.startsWith('passerelle-demo-'))).to.deep.equal([]);
  });

  it('a run of tests, a bench or a proof ends with the servers and peers that it started', async () => {
    const module = join(ROOT, 'test/support/run/end-with-children.ts');
    const program = `
      import { spawn } from 'node:child_process';
      import { endWithChildren } from ${JSON.stringify(module)};
      endWithChildren();
      spawn('sleep', ['600'], { detached: true });
      console.log('started');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'pipe' });
    await once(child.stdout, 'data');
    const all = treeOf(child.pid ?? 0);
    started.push(...all);
    expect(all).to.have.length(2);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).to.deep.equal([null, 'SIGTERM']);
    await gone(all);
  });
});

function isThere(pid: number): boolean {
  // A process that has ended and waits for its parent has no command any more.
  return commandOf(pid) !== '';
}

/** The command line of a process; empty when it has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** The processes of a tree whose command line says a text; undefined while there is none. */
function found(root: number, text: string): number[] | undefined {
  const all = treeOf(root).filter((pid) => commandOf(pid).includes(text));
  return all.length === 0 ? undefined : all;
}

async function gone(pids: readonly number[]): Promise<void> {
  await eventually(async () => (pids.some(isThere) ? undefined : true), 60);
}

/** How many files an import has done. */
function imported(path: string): number {
  if (!existsSync(path)) return 0;
  const journal = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    const isMade = journal.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'done'").get() !== undefined;
    return isMade ? Number(journal.prepare('SELECT count(*) AS count FROM done').get()?.['count']) : 0;
  } finally {
    journal.close();
  }
}

async function isTaken(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
