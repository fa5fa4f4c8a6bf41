/** Another commit of the product in a folder of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);

/** A checkout; `remove` takes it away. */
export type Checkout = { readonly root: string; remove(): Promise<void> };

/** Lays a commit out, with the packages of this one or those that it asks for, and makes its generated definitions. */
export async function checkOut(commit: string, packages: 'shared' | 'its own'): Promise<Checkout> {
  const root = await mkdtemp(join(tmpdir(), 'passerelle-commit-'));
  const archive = join(root, 'commit.tar');
  await run('git', ['archive', '--output', archive, commit], { cwd: ROOT });
  await run('tar', ['-xf', archive, '-C', root]);
  await rm(archive);
  if (packages === 'shared') await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  else await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root });
  await run('npm', ['run', '-s', 'prestart'], { cwd: root });
  return { root, remove: async () => await rm(root, { recursive: true, force: true }) };
}
