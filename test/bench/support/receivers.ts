/** The storage SCPs that are compared, each fresh, on free ports, in a folder of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { startServer } from '../../support/server.ts';
import { startOrthanc } from './orthanc.ts';
import { freePort } from '../../support/free-port.ts';
import { listening, type Receiver } from './peer-process.ts';
import { watchProcess } from '../../support/run/process-tree.ts';

/** Whether DCMTK's sockets send at once (`TCP_NODELAY=1`): at both ends, as either end alone stalls 40 ms an image. */
export type Wire = { readonly noDelay: boolean };

/** The environment of a DCMTK program. */
export function wireEnv(noDelay: boolean): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], ...(noDelay ? { TCP_NODELAY: '1' } : {}) };
}

/**
 * The receivers by name; `storescp +B` writes the bytes as they come, in long PDUs: the least that a receiver can do.
 */
export const RECEIVERS = {
  passerelle,
  storescp: async (wire: Wire) => await storescp(wire, []),
  'storescp +B': async (wire: Wire) => await storescp(wire, ['+B', '--max-pdu', '131072']),
  orthanc: async ({ noDelay }: Wire) => await startOrthanc(wireEnv(noDelay)),
} as const satisfies Readonly<Record<string, (wire: Wire) => Promise<Receiver>>>;

/** A name of a receiver. */
export type ReceiverName = keyof typeof RECEIVERS;

/** Programs of the comparison that are not installed. */
export function missingPrograms(programs: readonly string[]): string[] {
  return programs.filter((name) => spawnSync('which', [name]).status !== 0);
}

async function passerelle(): Promise<Receiver> {
  const server = await startServer({ env: { STUDY_QUIET_SECONDS: '60' } });
  const used = watchProcess(server.pid);
  return {
    callingAE: ESTABLISHMENTS.strasbourg.aeTitle,
    calledAE: server.dimse.aeTitle,
    port: server.dimse.port,
    pid: server.pid,
    used,
    stop: async () => {
      used.stop();
      await server.stop();
    },
  };
}

async function storescp({ noDelay }: Wire, options: readonly string[]): Promise<Receiver> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-storescp-'));
  const port = await freePort();
  const child = spawn('storescp', ['--fork', ...options, '--output-directory', folder, String(port)], {
    stdio: 'ignore',
    env: wireEnv(noDelay),
  });
  return await listening(child, folder, { port, calledAE: 'STORESCP' });
}
