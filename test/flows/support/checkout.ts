/** A copy of this checkout, in which a test changes files. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../support/house/source-files.ts';

const run = promisify(execFile);

/** Generated definitions and compiled tests are made from the files: a copy whose types are others makes its own. */
const MADE_FROM_TYPES = ['passerelle', 'compiled'];

/**
 * Copies what is of the checkout, not committed files included. Packages are those of this one, and so are the
 * generated definitions but with `otherTypes`.
 */
export async function copyCheckout(to: string, { otherTypes }: { readonly otherTypes: boolean }): Promise<void> {
  const { stdout } = await run('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: ROOT });
  for (const path of stdout.split('\0').filter((name) => name !== '')) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    // A file that was removed and not yet committed is still named.
    await cp(join(ROOT, path), join(to, path)).catch(unlessAbsent);
  }
  await mkdir(join(to, 'node_modules', '.cache'), { recursive: true });
  const left = ['.cache', ...(otherTypes ? MADE_FROM_TYPES : [])];
  for (const folder of ['node_modules', 'node_modules/.cache']) {
    for (const name of await readdir(join(ROOT, folder)).catch(() => [])) {
      if (!left.includes(name)) await symlink(join(ROOT, folder, name), join(to, folder, name));
    }
  }
}

function unlessAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
