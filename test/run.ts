/**
 * `npm test`: types, lint, then the tests, of which the arguments may choose some (as mocha takes them). The last line
 * of stdout is always `N passed, N failed, N skipped`. A failed check counts as one failure. With CI=true nothing may
 * be skipped. Stories wait for timers of servers more than they compute: they run beside all other tests.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithChildren } from './support/run/end-with-children.ts';
import type { FileTime, RunEvent } from './support/run/run-reporter.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TSC = 'node_modules/typescript/bin/tsc';
// The matrix of access asks at once what it asks; with the stories of identities among the others, both take as long.
const STORIES = ['test/flows/*.test.ts', 'test/flows/!(access|identity)/**/*.test.ts'];
const OTHERS = [...STORIES.flatMap((stories) => ['--ignore', stories]), 'test/**/*.test.ts'];
const ALL_RUNS = [STORIES, OTHERS];
// After the last test: what still runs then was left open by a test.
const MUST_END_WITHIN_MS = 15_000;
// The files that are told with the time that they took, so that the run stays short enough to be used.
const LONGEST_TOLD = 15;

type Skipped = Extract<RunEvent, { kind: 'skipped' }>;

/** What is known of the run so far. */
type Tally = {
  passed: number;
  readonly failed: string[];
  readonly skipped: Skipped[];
  readonly files: FileTime[];
};

endWithChildren();
const isCI = process.env['CI'] === 'true';
const tally: Tally = { passed: 0, failed: [], skipped: [], files: [] };
await runCheck(tally, 'types: tsc --noEmit', TSC, ['--noEmit']);
await runCheck(tally, 'types of scripts: tsc --noEmit', TSC, ['--noEmit', '-p', 'server/endpoints/viewer/browser']);
await runCheck(tally, 'lint: oxlint --deny-warnings', 'node_modules/oxlint/bin/oxlint', ['--deny-warnings']);
const chosen = process.argv.slice(2);
const runs = chosen.length > 0 ? [chosen] : ALL_RUNS;
await Promise.all(runs.map(async (args) => await runTests(tally, args)));
report(tally);
process.exitCode = tally.failed.length > 0 || (isCI && tally.skipped.length > 0) ? 1 : 0;

async function runCheck(tally: Tally, title: string, program: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await codeOf(child);
  if (code !== 0) tally.failed.push(title);
}

async function runTests(tally: Tally, args: readonly string[]): Promise<void> {
  const options = ['--reporter', './test/support/run/run-reporter.ts', ...(isCI ? ['--forbid-only'] : [])];
  const child = fork('node_modules/mocha/bin/mocha.js', [...options, ...args], { cwd: ROOT });
  const run = { failed: 0, hasEnded: false };
  child.on('message', (event) => {
    const { kind } = event as RunEvent;
    if (kind === 'failed') run.failed += 1;
    if (kind === 'ended') {
      run.hasEnded = true;
      endInTime(tally, child);
    }
    count(tally, event as RunEvent);
  });
  const [code] = await Promise.all([codeOf(child), once(child, 'disconnect')]);
  if (!run.hasEnded) tally.failed.push(`the run ended before its last test (${code})`);
  else if (code !== 0 && run.failed === 0) tally.failed.push(`the run failed beside its tests (${code})`);
}

function count(tally: Tally, event: RunEvent): void {
  if (event.kind === 'passed') tally.passed += 1;
  else if (event.kind === 'failed') tally.failed.push(event.title);
  else if (event.kind === 'skipped') tally.skipped.push(event);
  else if (event.kind === 'ended') tally.files.push(...event.files);
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

function report({ passed, failed, skipped, files }: Tally): void {
  const longest = files.toSorted((one, other) => other.seconds - one.seconds).slice(0, LONGEST_TOLD);
  for (const { file, seconds } of longest) console.log(`${Math.round(seconds)} s: ${file}`);
  for (const { title, reason } of skipped) console.log(`skipped: ${title}\n         ${reason}`);
  if (isCI && skipped.length > 0) console.log('CI=true: a skipped test is a failure of the run');
  for (const title of failed) console.log(`failed: ${title}`);
  console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
}
