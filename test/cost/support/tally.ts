/** What a server does for a request, counted: statements, rows, messages, syncs and log bytes. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
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
  /** Bytes written to write-ahead logs, and synced. */
  readonly logBytes: number;
  /** Texts of the statements, or names and collections of the commands, in order. */
  readonly texts: readonly string[];
};

/** Counts what a server does that is started `under` it. */
export type Tally = {
  readonly under: readonly string[];
  /** What work used, with all that follows from it until nothing was counted for `quietMs`. */
  costOf(work: () => Promise<unknown>, quietMs: number): Promise<Cost>;
  end(): Promise<void>;
};

const SYSTEM_CALLS = 'trace=fsync,fdatasync,pwrite64';

/** Makes the files that are counted in; `preloads` are loaded into the server before it is counted. */
export async function beginTally(preloads: readonly URL[] = []): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-cost-'));
  const [counts, calls] = [join(folder, 'counts'), join(folder, 'calls')];
  const imports = [new URL('counting.ts', import.meta.url), ...preloads].map((url) => `--import=${fileURLToPath(url)}`);
  // The tracer is the grandchild: the server stays a child of the test and takes its signals.
  const traced = ['strace', '-D', '-f', '-qq', '-y', '-s', '0', '-e', SYSTEM_CALLS, '-o', calls];
  // What the files held when they had last stopped growing: where nothing was asked since, they still do.
  let rest = '';
  return {
    under: [...traced, '/usr/bin/env', `COUNTS=${counts}`, `NODE_OPTIONS=${imports.join(' ')}`],
    async costOf(work, quietMs) {
      await quiet([counts, calls], quietMs, rest);
      const [countsBefore, callsBefore] = [await sizeOf(counts), await sizeOf(calls)];
      await work();
      rest = await quiet([counts, calls], quietMs);
      return sumOf(await linesAfter(counts, countsBefore), await linesAfter(calls, callsBefore));
    },
    end: async () => await rm(folder, { recursive: true, force: true }),
  };
}

/** Waits until files have stopped growing but for background work since they were as in `last`; tells how they are. */
async function quiet([counts = '', calls = '']: readonly string[], quietMs: number, last = ''): Promise<string> {
  for (;;) {
    const now = `${foreground(await linesAfter(counts, 0)).length} ${await sizeOf(calls)}`;
    if (now === last) return now;
    last = now;
    await pause(quietMs);
  }
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file)).size;
}

async function linesAfter(file: string, offset: number): Promise<string[]> {
  const bytes = await readFile(file);
  return bytes.subarray(offset).toString().split('\n').slice(0, -1);
}

type Command = Extract<Counted, { kind: 'command' }>;

const isCommand = (counted: Counted): counted is Command => counted.kind === 'command';

/** What is asked, or written, by the sealer of MongoDB's trail alone. */
const SEALER = new Set(['audit_chain', 'audit_personal', 'leases']);

/** Of statements that are asked now and then. */
const AT_REST = ['FROM job WHERE kind = k.value', 'FROM job GROUP BY kind', 'FROM standing JOIN resource next'];

/** Of what is found so on MongoDB. */
const NOW_AND_THEN = /"pending":true|"definition":|"region\|file"/;

/**
 * What is left without what a server does at rest: it asks for work that is due, counts what waits, asks for rows that
 * are not indexed as they should be, and on MongoDB seals events, holds its lease and follows the region that others
 * load.
 */
function foreground(lines: readonly string[]): readonly Counted[] {
  const counted = lines.map((line) => JSON.parse(line) as Counted);
  const sealing = new Set(counted.flatMap((one) => (isCommand(one) && SEALER.has(one.on) ? one.transaction : [])));
  sealing.delete('');
  return counted.filter((one) => {
    if (one.kind === 'message') return true;
    if (one.kind === 'statement') return !AT_REST.some((text) => one.text.includes(text));
    if (SEALER.has(one.on) || sealing.has(one.transaction)) return false;
    if (one.text === 'aggregate' && one.on === 'jobs') return false;
    return !(one.text === 'find' && (one.on === 'jobs' || NOW_AND_THEN.test(one.filter)));
  });
}

function sumOf(counts: readonly string[], calls: readonly string[]): Cost {
  const counted = foreground(counts);
  const asked = counted.filter((one) => one.kind !== 'message');
  return {
    statements: asked.length,
    rows: asked.reduce((sum, { rows }) => sum + rows, 0),
    messages: counted.length - asked.length,
    syncs: calls.filter((line) => SYNC.test(line)).length,
    logBytes: syncedBytes(calls),
    texts: asked.map((one) => (one.kind === 'command' ? `${one.text} ${one.on} ${one.filter}` : one.text)),
  };
}

const SYNC = /\b(?:fsync|fdatasync)\(\d+<([^>]*)>/;
const WRITE = /\bpwrite64\(\d+<([^>]*-wal)>.* = (\d+)$/;

/** Bytes that were written to write-ahead logs and synced: what is written after the last sync nobody waited for. */
function syncedBytes(calls: readonly string[]): number {
  const written = new Map<string, number>();
  let synced = 0;
  for (const line of calls) {
    const [, log = '', bytes = '0'] = WRITE.exec(line) ?? [];
    if (log !== '') written.set(log, (written.get(log) ?? 0) + Number(bytes));
    const [, file = ''] = SYNC.exec(line) ?? [];
    synced += written.get(file) ?? 0;
    written.delete(file);
  }
  return synced;
}
