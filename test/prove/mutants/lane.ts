/** A checkout of its own in which mutants are tried, one after the other. The tree itself is never written to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOut } from '../doors/checkout.ts';
import { mutate, type Mutation } from './mutations.ts';
import type { Tests } from './nearest.ts';

/** How a mutant ended. Of one that ran out of time nothing is known: the machine may have been busy. */
export type Outcome = 'killed' | 'survived' | 'out of time' | 'does not compile';

/** A place to try mutants. */
export type Lane = {
  /** The folder of the checkout. */
  readonly root: string;
  /** Type-checks a mutant and runs its tests; the file is as it was after. */
  readonly attempt: (mutation: Mutation, tests: readonly Tests[]) => Promise<Outcome>;
  /** Runs tests on the sources as they are, to be seen; whether they pass. */
  readonly passes: (tests: readonly Tests[]) => Promise<boolean>;
  readonly remove: () => Promise<void>;
};

/** Tests of one mutant may take so long together. */
const LIMIT_MS = 60_000;
const COMPILES_WITHIN_MS = 120_000;
/** Without mutation there is no hurry: only whether they pass is asked. */
const UNMUTATED_MS = 600_000;

/** Makes a lane of a commit. `env` is what the tests are given beside the environment. */
export async function openLane(commit: string, env: Readonly<Record<string, string>>): Promise<Lane> {
  const { root, remove } = await checkOut(commit, 'shared');
  const run = async (limitMs: number, ...args: string[]): Promise<number | undefined> =>
    await exitCodeOf({ cwd: root, args, env, limitMs });
  const compiles = async (): Promise<boolean> =>
    (await run(COMPILES_WITHIN_MS, ...TYPE_CHECK, join(root, 'types.json'))) === 0;
  const outcomeOf = async (tests: readonly Tests[]): Promise<Outcome> => {
    const latest = performance.now() + LIMIT_MS;
    for (const step of tests) {
      const code = await run(latest - performance.now(), ...MOCHA, ...argumentsOf(step));
      if (code !== 0) return code === undefined ? 'out of time' : 'killed';
    }
    return 'survived';
  };
  await compiles();
  return {
    root,
    attempt: async (mutation, tests) => {
      const path = join(root, mutation.path);
      const text = await readFile(path, 'utf8');
      try {
        await writeFile(path, mutate(text, mutation));
        return (await compiles()) ? await outcomeOf(tests) : 'does not compile';
      } finally {
        await writeFile(path, text);
      }
    },
    passes: async (tests) => {
      for (const step of tests) {
        const args = [...MOCHA, ...argumentsOf(step)];
        if ((await exitCodeOf({ cwd: root, args, env, limitMs: UNMUTATED_MS, stdio: 'inherit' })) !== 0) return false;
      }
      return true;
    },
    remove,
  };
}

const TYPE_CHECK = ['node_modules/typescript/bin/tsc', '--noEmit', '--incremental', '--tsBuildInfoFile'];
const MOCHA = ['node_modules/mocha/bin/mocha.js', '--exit', '--bail', '--reporter', 'dot'];

function argumentsOf({ files, named }: Tests): string[] {
  return named === undefined ? [...files] : [...files, '--grep', named];
}

type Program = {
  readonly cwd: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
  readonly stdio?: 'ignore' | 'inherit';
};

/** Runs a program of node; undefined when it was ended at the limit, with all that it had started. */
async function exitCodeOf({ cwd, args, env, limitMs, stdio = 'ignore' }: Program): Promise<number | undefined> {
  if (limitMs <= 0) return undefined;
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio,
    detached: true,
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endGroup(child.pid);
  }, limitMs);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  endGroup(child.pid);
  return isLate ? undefined : (code ?? 1);
}

/** Ends what a program left behind: the servers that its tests had started. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it runs any more.
  }
}
