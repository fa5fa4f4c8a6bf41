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

/** Where a run notes how far it is, by the sources of the product at a commit; its folder is made. */
export async function journalPath(commit: string, name: string): Promise<string> {
  const file = new URL(`../../node_modules/.cache/prove/${await sourcesOf(commit)}-${name}`, import.meta.url);
  const path = fileURLToPath(file);
  await mkdir(dirname(path), { recursive: true });
  return path;
}

/** Opens the journal of a commit and a seed; a line that was cut off is passed over. */
export async function openJournal(commit: string, seed: number): Promise<Journal> {
  const path = await journalPath(commit, `mutants-${seed}.jsonl`);
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

/** A digest of the sources of the product at a commit. */
async function sourcesOf(commit: string): Promise<string> {
  const args = ['ls-tree', '-r', commit, '--', 'server', 'profiles', 'ihe'];
  const { stdout } = await promisify(execFile)('git', args, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 });
  const sources = stdout.split('\n').filter((line) => line.endsWith('.ts'));
  return createHash('sha256').update(sources.join('\n')).digest('hex').slice(0, 40);
}

function entryOf(line: string): readonly Entry[] {
  try {
    return [JSON.parse(line) as Entry];
  } catch {
    return [];
  }
}
