/** DCMTK's `storescu` sends what lies in a folder, or one file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Receiver } from './peer-process.ts';
import { wireEnv } from './receivers.ts';

/**
 * Sends in one association.
 * @throws {Error} it failed, or an instance was refused
 */
export async function sendPath(
  to: Pick<Receiver, 'callingAE' | 'calledAE' | 'port'>,
  path: string,
  noDelay = true,
): Promise<void> {
  const args = ['-R', '-aet', to.callingAE, '-aec', to.calledAE, '127.0.0.1', String(to.port), '+sd', path];
  const child = spawn('storescu', args, { env: wireEnv(noDelay), stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0 || /E:|Failed/.test(errors)) throw new Error(`storescu failed (${code}): ${errors.slice(0, 500)}`);
}
