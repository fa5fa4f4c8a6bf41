/**
 * The list of types, `profiles/types/types.ts`, made from the files of its folder. Run by check.mjs before every
 * command, so that a further type is one further file; the list is kept with the sources, as tsc and editors need it.
 */
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The folder that holds one file a type. */
export const TYPES_FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'profiles', 'types');

const LIST = 'types.ts';

/**
 * The text of the list for the files of a folder. A file is one of a type when it exports a constant that has the name
 * of the file: `practitioner-role.ts` has `PractitionerRole`.
 */
export async function typeListOf(folder: string): Promise<string> {
  const types: { file: string; name: string }[] = [];
  for (const file of (await readdir(folder)).toSorted()) {
    if (!file.endsWith('.ts') || file === LIST) continue;
    const name = nameOf(file);
    const text = await readFile(join(folder, file), 'utf8');
    if (text.includes(`\nexport const ${name} = `)) types.push({ file, name });
  }
  types.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    '/** Every type of the product. Written by server/runtime/type-list.ts from the files of this folder. */',
    ...types.map(({ file, name }) => `import { ${name} } from './${file}';`),
    '',
    '/** The files of this folder by the name of their type. */',
    'export const TYPES = {',
    ...types.map(({ name }) => `  ${name},`),
    '} as const;',
    '',
  ].join('\n');
}

/** Writes the list, where it is not what the folder says. It appears whole, by a rename. */
export async function writeTypeList(folder: string = TYPES_FOLDER): Promise<void> {
  const path = join(folder, LIST);
  const wanted = await typeListOf(folder);
  const standing = await readFile(path, 'utf8').catch(() => '');
  if (standing === wanted) return;
  const draft = join(folder, `.types-${process.pid}.draft`);
  await writeFile(draft, wanted);
  await rename(draft, path);
}

function nameOf(file: string): string {
  return file
    .replace(/\.ts$/, '')
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
