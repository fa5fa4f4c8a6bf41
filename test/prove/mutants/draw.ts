/** Which mutants are run: those that once survived, then as many of each group, by the seed. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../../fixtures/dicom/noise.ts';
import { ALWAYS, mutationOf } from './always.ts';
import { mutationsOf, nameOf, type Mutation } from './mutations.ts';
import { NEAREST, type Tests } from './nearest.ts';

/** One mutant to run. */
export type Drawn = {
  readonly name: string;
  readonly mutation: Mutation;
  /** The line that it changes, or the first of them. */
  readonly line: string;
  readonly tests: readonly Tests[];
};

/** Draws all mutants of a checkout, in the order in which they are run. */
export async function drawMutants(root: string, seed: number): Promise<readonly Drawn[]> {
  const always = await Promise.all(
    ALWAYS.map(async (known) => {
      const text = await readFile(join(root, known.path), 'utf8');
      return drawn(text, mutationOf(known, text), known.tests);
    }),
  );
  const random = seededRandom(seed);
  const groups: Drawn[][] = [];
  for (const { sources, tests } of NEAREST) {
    const found = (await Promise.all(sources.map(async (source) => await filesAt(root, source)))).flat();
    const all = await Promise.all(
      found.map(async (path) => {
        const text = await readFile(join(root, path), 'utf8');
        return mutationsOf(path, text).map((mutation) => drawn(text, mutation, tests));
      }),
    );
    groups.push(shuffled(all.flat(), random));
  }
  return [...always, ...inTurn(groups)];
}

function drawn(text: string, mutation: Mutation, tests: readonly Tests[]): Drawn {
  const from = text.lastIndexOf('\n', mutation.start) + 1;
  const [line = ''] = text.slice(from).split('\n');
  return { name: nameOf(text, mutation), mutation, line: line.trim(), tests };
}

/** The sources at a path: the file itself, or those of a folder, which ends with a slash. */
async function filesAt(root: string, source: string): Promise<readonly string[]> {
  if (!source.endsWith('/')) return [source];
  const names = await readdir(join(root, source), { recursive: true });
  return names
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => source + name);
}

function shuffled<T>(all: readonly T[], random: () => number): T[] {
  const keyed = all.map((one) => ({ one, key: random() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ one }) => one);
}

/** One of each group, then the next of each. */
function inTurn<T>(groups: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...groups.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => groups.flatMap((group) => group.slice(at, at + 1))).flat();
}
