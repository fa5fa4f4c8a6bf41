/** A server whose statements, messages, syncs and log bytes are counted, request by request. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startServer, type TestServer } from '../../support/server.ts';
import type { Counted } from './counting.ts';

/** What one request used. */
export type Cost = {
  /** Statements of SQLite, BEGIN and COMMIT included, or commands to MongoDB. */
  readonly statements: number;
  /** Rows or documents that statements gave to the process: what it looked at. */
  readonly rows: number;
  /** Messages between threads. */
  readonly messages: number;
  /** fsync and fdatasync of the process. */
  readonly syncs: number;
  /** Bytes written to write-ahead logs. */
  readonly logBytes: number;
  /** Texts of the statements, or names and collections of the commands, in order. */
  readonly texts: readonly string[];
};

/** A running server; `costOf` tells what work used, once all that follows from it is done. */
export type CountedServer = TestServer & { costOf(work: () => Promise<unknown>): Promise<Cost> };

/** Nothing was counted for so long: what a request began is over. */
const QUIET_MS = 150;
const SYSTEM_CALLS = 'trace=fsync,fdatasync,pwrite64';

/** Starts a server that is counted. */
export async function startCounted(options: Parameters<typeof startServer>[0] = {}): Promise<CountedServer> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-cost-'));
  const [counts, calls] = [join(folder, 'counts'), join(folder, 'calls')];
  const preload = fileURLToPath(new URL('counting.ts', import.meta.url));
  // The tracer is the grandchild: the server stays a child of the test and takes its signals.
  const traced = ['strace', '-D', '-f', '-qq', '-y', '-s', '0', '-e', SYSTEM_CALLS, '-o', calls];
  const counted = ['/usr/bin/env', `COUNTS=${counts}`, `NODE_OPTIONS=--import=${preload}`];
  const server = await startServer({ ...options, under: [...traced, ...counted] });
  return {
    ...server,
    async costOf(work) {
      await quiet([counts, calls]);
      const [countsBefore, callsBefore] = [await sizeOf(counts), await sizeOf(calls)];
      await work();
      await quiet([counts, calls]);
      return sumOf(await linesAfter(counts, countsBefore), await linesAfter(calls, callsBefore));
    },
    async stop() {
      const code = await server.stop();
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** Waits until files have stopped growing but for background work. */
async function quiet(files: readonly string[]): Promise<void> {
  for (let last = ''; ;) {
    const now = (await Promise.all(files.map(foreground))).join();
    if (now === last) return;
    last = now;
    await pause(QUIET_MS);
  }
}

async function foreground(file: string): Promise<number> {
  return (await linesAfter(file, 0)).filter((line) => !isBackground(line)).length;
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file)).size;
}

async function linesAfter(file: string, offset: number): Promise<string[]> {
  const bytes = await readFile(file);
  return bytes.subarray(offset).toString().split('\n').slice(0, -1);
}

/** What a server does at rest: it asks for work that is due, and on MongoDB seals events and holds its lease. */
const BACKGROUND = [/FROM agenda WHERE at/, /"on":"(agenda|leases)"/];

function isBackground(line: string): boolean {
  return BACKGROUND.some((known) => known.test(line));
}

function sumOf(counts: readonly string[], calls: readonly string[]): Cost {
  const counted = counts.filter((line) => !isBackground(line)).map((line) => JSON.parse(line) as Counted);
  const asked = counted.filter((one) => one.kind !== 'message');
  return {
    statements: asked.length,
    rows: asked.reduce((sum, { rows }) => sum + rows, 0),
    messages: counted.length - asked.length,
    syncs: calls.filter((line) => /\b(fsync|fdatasync)\(/.test(line)).length,
    logBytes: calls.reduce((sum, line) => sum + writtenToLog(line), 0),
    texts: asked.map((one) => (one.kind === 'command' ? `${one.text} ${one.on} ${one.filter}` : one.text)),
  };
}

/** Bytes of a write to a write-ahead log, by what the call returned. */
function writtenToLog(line: string): number {
  return Number(/pwrite64\(\d+<[^>]*-wal>.* = (\d+)$/.exec(line)?.[1] ?? 0);
}
