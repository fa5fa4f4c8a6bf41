/** Mocha's `spec` on stdout, and each result to the process that started the run (test/run.ts). */
import { relative } from 'node:path';
import { reporters, Runner, type MochaOptions, type Test } from 'mocha';
import type { Skippable } from './root-hooks.ts';

/** What the run tells as it goes. */
export type RunEvent =
  | { readonly kind: 'passed' | 'failed'; readonly title: string }
  | { readonly kind: 'skipped'; readonly title: string; readonly reason: string }
  | { readonly kind: 'ended'; readonly files: readonly FileTime[] };

/** How long the tests of a file took, their hooks included. */
export type FileTime = { readonly file: string; readonly seconds: number };

class RunReporter extends reporters.Spec {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    runner.on('pass', (test) => tell({ kind: 'passed', title: test.fullTitle() }));
    runner.on('fail', (test) => tell({ kind: 'failed', title: test.fullTitle() }));
    runner.on('pending', (test) => tell({ kind: 'skipped', title: test.fullTitle(), reason: reasonOf(test) }));
    const times = timesOf(runner);
    runner.on('end', () => tell({ kind: 'ended', files: times() }));
  }
}

/** Files run one after the other: what passes between the ends of two suites is the time of the second. */
function timesOf(runner: Runner): () => readonly FileTime[] {
  const seconds = new Map<string, number>();
  let last = performance.now();
  runner.on('suite end', ({ file, parent }) => {
    if (file === undefined || parent?.root !== true) return;
    const now = performance.now();
    seconds.set(file, (seconds.get(file) ?? 0) + (now - last) / 1000);
    last = now;
  });
  return () => Array.from(seconds, ([file, taken]) => ({ file: relative(process.cwd(), file), seconds: taken }));
}

/** The test's own reason, or that of the hook which skipped its suite. */
function reasonOf(test: Test & Skippable): string {
  for (let suite = test.parent; test.skipReason === undefined && suite !== undefined; suite = suite.parent) {
    const hooks = [...(suite as unknown as SuiteHooks)._beforeAll, ...(suite as unknown as SuiteHooks)._beforeEach];
    const reason = hooks.find(({ skipReason }) => skipReason !== undefined)?.skipReason;
    if (reason !== undefined) return reason;
  }
  return test.skipReason ?? 'it is skipped or has no body in the source';
}

type SuiteHooks = { readonly _beforeAll: readonly Skippable[]; readonly _beforeEach: readonly Skippable[] };

function tell(event: RunEvent): void {
  process.send?.(event);
}

// Mocha loads a reporter by require, and takes what this name exports.
export { RunReporter as 'module.exports' };
