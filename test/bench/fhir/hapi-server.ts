/**
 * A HAPI FHIR R4 JPA server on PostgreSQL, without access, audit or validation: the program that `PASSERELLE_HAPI`
 * names, started as `PROGRAM PORT FOLDER`. It prints one JSON line when it is ready and ends on SIGTERM.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { watchProcess, type ProcessTree } from '../../support/run/process-tree.ts';

const PROGRAM =
  process.env['PASSERELLE_HAPI'] ?? fileURLToPath(new URL('../../../../shared/tools/hapi/start.sh', import.meta.url));

/** A running server; `used` is what it and its database use. */
export type HapiServer = { readonly port: number; readonly used: ProcessTree; stop(): Promise<void> };

/** Why there is no HAPI server to measure beside; undefined when there is one. */
export function whyNoHapi(): string | undefined {
  return existsSync(PROGRAM) ? undefined : `no ${PROGRAM}: PASSERELLE_HAPI names the program that starts it`;
}

/** Starts the server over a folder; it is built when it was never started. */
export async function startHapi(folder: string): Promise<HapiServer> {
  const child = spawn(PROGRAM, ['0', folder], {
    env: { ...process.env, PEER_DB: 'postgresql' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('HAPI ended before it was ready')));
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [string];
  ended.catch(() => undefined);
  const { url } = JSON.parse(line) as { url: string };
  const used = watchProcess(child.pid ?? 0);
  return {
    port: Number(new URL(url).port),
    used,
    stop: async () => {
      used.stop();
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
