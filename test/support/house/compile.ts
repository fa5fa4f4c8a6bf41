/** What tsc says of a few lines that use the product: for what must not compile. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Names to import, by the file of the product that has them. */
export type Imports = Readonly<Record<string, readonly string[]>>;

/** Compiles a module that imports names and holds a text; answers its errors, empty when there is none. */
export async function compile(imports: Imports, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-types-'));
  const heads = Object.entries(imports).map(
    ([path, names]) => `import { ${names.join(', ')} } from ${JSON.stringify(join(ROOT, path))};`,
  );
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { typeRoots: [join(ROOT, 'node_modules/@types')] },
    files: ['read.mts'],
    include: [],
  };
  try {
    await writeFile(join(folder, 'read.mts'), `${heads.join('\n')}\n${text}\n`);
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    return await errorsIn('read.mts', folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function errorsIn(file: string, folder: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const run = promisify(execFile)(process.execPath, [tsc, '--noEmit', '--pretty', 'false', '-p', folder], {
    cwd: folder,
  });
  const output = await run.then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? '',
  );
  const lines = output.split('\n');
  const first = lines.findIndex((line) => line.startsWith(`${file}(`));
  return first === -1 ? '' : lines.slice(first).join('\n');
}
