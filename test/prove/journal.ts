/**
 * What a proof has found out already, so that a run that ended early is gone on with. A test that killed a mutant kills
 * it as long as the sources are the same; one that survived is tried again when anything else was committed.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Outcome } from './mutants/lane.ts';

/** The outcomes by the names of the mutants. */
export type Journal = {
  readonly known: ReadonlyMap<string, Outcome>;
  readonly write: (name: string, outcome: Outcome) => Promise<void>;
};

/** A line of the journal. */
export type Entry = { readonly name: string; readonly outcome: Outcome; readonly commit: string };

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The folders of the product. */
export const PRODUCT = ['server', 'profiles', 'ihe'] as const;

/** Where a run notes how far it is, by the digest of the sources that it rests on; its folder is made. */
export async function journalPath(sources: string, name: string): Promise<string> {
  const path = fileURLToPath(new URL(`../../node_modules/.cache/prove/${sources}-${name}`, import.meta.url));
  await mkdir(dirname(path), { recursive: true });
  return path;
}

/** Opens the journal of a commit and a seed; a line that was cut off is passed over. */
export async function openJournal(commit: string, seed: number): Promise<Journal> {
  const path = await journalPath(await sourcesOf(commit, PRODUCT), `mutants-${seed}.jsonl`);
  const text = await readFile(path, 'utf8').catch(() => '');
  return {
    known: knownOf(text.split('\n').flatMap(entryOf), commit),
    write: async (name, outcome) => await appendFile(path, `${JSON.stringify({ name, outcome, commit })}\n`),
  };
}

/** What needs no trial at a commit. */
export function knownOf(entries: readonly Entry[], commit: string): ReadonlyMap<string, Outcome> {
  const standing = entries.filter((entry) => entry.outcome !== 'survived' || entry.commit === commit);
  return new Map(standing.map(({ name, outcome }) => [name, outcome]));
}

/** A digest, hexadecimal, of the sources in some folders as they lie here, committed or not. */
export async function sourcesHere(folders: readonly string[]): Promise<string> {
  const changes = await git('diff', 'HEAD', '--', ...folders);
  return digestOf(`${await sourcesOf('HEAD', folders)}${changes}`);
}

/** A digest of the sources in some folders at a commit. */
async function sourcesOf(commit: string, folders: readonly string[]): Promise<string> {
  const listed = await git('ls-tree', '-r', commit, '--', ...folders);
  return digestOf(
    listed
      .split('\n')
      .filter((line) => line.endsWith('.ts'))
      .join('\n'),
  );
}

async function git(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('git', args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 })).stdout;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}

function entryOf(line: string): readonly Entry[] {
  try {
    return [JSON.parse(line) as Entry];
  } catch {
    return [];
  }
}
