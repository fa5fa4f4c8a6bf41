/**
 * `npm test`: types, lint, then the tests, of which the arguments may choose some (as mocha takes them). The last line
 * of stdout is always `N passed, N failed, N skipped`. A failed check counts as one failure. With CI=true nothing may
 * be skipped.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithChildren } from './support/run/end-with-children.ts';
import type { RunEvent } from './support/run/run-reporter.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TSC = 'node_modules/typescript/bin/tsc';
const ALL_TESTS = 'test/**/*.test.ts';
// After the last test: what still runs then was left open by a test.
const MUST_END_WITHIN_MS = 15_000;

type Skipped = Extract<RunEvent, { kind: 'skipped' }>;

/** What is known of the run so far. */
type Tally = { passed: number; readonly failed: string[]; readonly skipped: Skipped[]; ended: boolean };

endWithChildren();
const isCI = process.env['CI'] === 'true';
const tally: Tally = { passed: 0, failed: [], skipped: [], ended: false };
await runCheck(tally, 'types: tsc --noEmit', TSC, ['--noEmit']);
await runCheck(tally, 'types of scripts: tsc --noEmit', TSC, ['--noEmit', '-p', 'server/endpoints/viewer/browser']);
await runCheck(tally, 'lint: oxlint --deny-warnings', 'node_modules/oxlint/bin/oxlint', ['--deny-warnings']);
await runTests(tally, process.argv.slice(2));
report(tally);
process.exitCode = tally.failed.length > 0 || (isCI && tally.skipped.length > 0) ? 1 : 0;

async function runCheck(tally: Tally, title: string, program: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await codeOf(child);
  if (code !== 0) tally.failed.push(title);
}

async function runTests(tally: Tally, args: readonly string[]): Promise<void> {
  const chosen = args.length > 0 ? args : [ALL_TESTS];
  const options = ['--reporter', './test/support/run/run-reporter.ts', ...(isCI ? ['--forbid-only'] : [])];
  const child = fork('node_modules/mocha/bin/mocha.js', [...options, ...chosen], { cwd: ROOT });
  const failedBefore = tally.failed.length;
  child.on('message', (event) => {
    count(tally, event as RunEvent);
    if (tally.ended) endInTime(tally, child);
  });
  const [code] = await Promise.all([codeOf(child), once(child, 'disconnect')]);
  if (!tally.ended) tally.failed.push(`the run ended before its last test (${code})`);
  else if (code !== 0 && tally.failed.length === failedBefore)
    tally.failed.push(`the run failed beside its tests (${code})`);
}

function count(tally: Tally, event: RunEvent): void {
  if (event.kind === 'passed') tally.passed += 1;
  else if (event.kind === 'failed') tally.failed.push(event.title);
  else if (event.kind === 'skipped') tally.skipped.push(event);
  else tally.ended = true;
}

function endInTime(tally: Tally, child: ChildProcess): void {
  const timer = setTimeout(() => {
    tally.failed.push('the run does not end: a test left a socket, timer, thread or process open');
    child.kill('SIGKILL');
  }, MUST_END_WITHIN_MS);
  child.once('exit', () => clearTimeout(timer));
}

/** The exit code, or the signal that ended the program. */
async function codeOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return code ?? signal ?? 'unknown';
}

function report({ passed, failed, skipped }: Tally): void {
  for (const { title, reason } of skipped) console.log(`skipped: ${title}\n         ${reason}`);
  if (isCI && skipped.length > 0) console.log('CI=true: a skipped test is a failure of the run');
  for (const title of failed) console.log(`failed: ${title}`);
  console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
}
