/** What was found out already about the mutants of a commit, so that a run that ended early is gone on with. */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './lane.ts';

/** The outcomes by the names of the mutants. */
export type Journal = {
  readonly known: ReadonlyMap<string, Outcome>;
  readonly write: (name: string, outcome: Outcome) => Promise<void>;
};

/** Opens the journal of a commit and a seed; a line that was cut off is passed over. */
export async function openJournal(commit: string, seed: number): Promise<Journal> {
  const file = new URL(`../../../node_modules/.cache/mutants/${commit}-${seed}.jsonl`, import.meta.url);
  const path = fileURLToPath(file);
  await mkdir(dirname(path), { recursive: true });
  const text = await readFile(path, 'utf8').catch(() => '');
  const entries = text.split('\n').flatMap(entryOf);
  return {
    known: new Map(entries),
    write: async (name, outcome) => await appendFile(path, `${JSON.stringify([name, outcome])}\n`),
  };
}

function entryOf(line: string): readonly [string, Outcome][] {
  try {
    return [JSON.parse(line) as [string, Outcome]];
  } catch {
    return [];
  }
}
