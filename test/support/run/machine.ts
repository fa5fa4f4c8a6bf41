/** Where and on what a measurement or a proof was made. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The commit, and whether the sources differ from it; the cores and the runtime. */
export type Machine = {
  readonly commit: string;
  readonly changed: boolean;
  readonly cores: number;
  readonly node: string;
};

/** Describes this machine and this tree; without git the commit is `unknown`. */
export async function machineOf(): Promise<Machine> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args, { cwd: ROOT })).stdout.trim();
  const commit = await git('rev-parse', 'HEAD').catch(() => 'unknown');
  const changes = await git('status', '--porcelain', '--', 'server', 'profiles', 'ihe').catch(() => '');
  return { commit, changed: changes !== '', cores: availableParallelism(), node: process.version };
}
