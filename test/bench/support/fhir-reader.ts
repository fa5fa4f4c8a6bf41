/**
 * A process that reads over HTTP at a fixed rate, whatever the answers take, until its stdin ends; then it prints the
 * times. It is a process of its own so that what loads the server does not wait in its event loop.
 */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { get } from '../support/load.ts';

/** What it is started with. */
export type ReaderStart = {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
  readonly perSecond: number;
};

/** What it prints: milliseconds of each answer, and how many were not 200, or none: a store that stands still. */
export type ReaderResult = { readonly times: readonly number[]; readonly failed: number };

const { port, headers, paths, perSecond } = JSON.parse(process.argv[2] ?? '{}') as ReaderStart;
const agent = new Agent({ keepAlive: true });
const times: number[] = [];
const running = new Set<Promise<void>>();
let [sequence, failed] = [0, 0];

async function read(): Promise<void> {
  sequence += 1;
  const began = performance.now();
  const status = await get(agent, port, paths[sequence % paths.length] ?? '', headers).catch(() => 'none');
  times.push(performance.now() - began);
  if (status !== 200) failed += 1;
}

const timer = setInterval(() => {
  const reading = read().finally(() => running.delete(reading));
  running.add(reading);
}, 1000 / perSecond);
process.stdin.resume();
await once(process.stdin, 'end');
clearInterval(timer);
await Promise.all(running);
agent.destroy();
process.stdout.write(`${JSON.stringify({ times, failed } satisfies ReaderResult)}\n`);
