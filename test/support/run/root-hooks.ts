/**
 * What holds for every test. A promise that is rejected while nobody awaits it fails the run, for mocha alone would
 * pass over it; and a test that skips itself tells the line that decided it, which is the reason.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Context, type RootHookObject, type Runnable } from 'mocha';

/** A test, with the reason for which it was skipped. */
export type Skippable = Runnable & { skipReason?: string };

// By promise, for mocha tells each of them twice.
const unawaited = new Map<Promise<unknown>, { readonly test: string; readonly reason: unknown }>();
let running = 'no test';

/** Begins to collect rejections, and makes `this.skip()` tell its line. */
export function mochaGlobalSetup(): void {
  process.on('unhandledRejection', (reason, promise) => {
    unawaited.set(promise, { test: running, reason });
  });
  const { skip } = Context.prototype;
  Context.prototype.skip = function skipWithReason(this: Context): never {
    (this.runnable() as Skippable).skipReason = callerLine(new Error('Skipped').stack ?? '');
    return skip.call(this);
  };
}

/** Fails the run when a rejection was collected. */
export function mochaGlobalTeardown(): void {
  if (unawaited.size === 0) return;
  const told = [...unawaited.values()].map(
    ({ test, reason }) => `${test}: ${reason instanceof Error ? reason.stack : String(reason)}`,
  );
  process.send?.({
    kind: 'failed',
    title: `promises were rejected and nobody awaited them, in ${unawaited.size} places`,
  });
  throw new Error(`Promises were rejected and nobody awaited them\n${told.join('\n')}`);
}

/** Hooks around each test. */
export const mochaHooks: RootHookObject = {
  beforeEach(this: Context) {
    running = this.currentTest?.fullTitle() ?? running;
  },
  async afterEach() {
    // A rejection is told after the microtasks of the test.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  },
};

/** The place and text of the line that called `skip`: the second frame of the stack. */
function callerLine(stack: string): string {
  const [, place, line] = /\((file:.*?|\/.*?):(\d+):\d+\)$/m.exec(stack.split('\n').slice(2).join('\n')) ?? [];
  if (place === undefined) return 'no reason given';
  const path = place.startsWith('file:') ? fileURLToPath(place) : place;
  const text = readFileSync(path, 'utf8').split('\n')[Number(line) - 1] ?? '';
  return `${text.trim()} (${relative(process.cwd(), path)}:${line})`;
}
