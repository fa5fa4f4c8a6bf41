/** What a program and the processes that it started have used, from `/proc`. @see proc(5) */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10;
const SAMPLE_MS = 100;
/** Fields of `/proc/PID/stat` after the name in parentheses. */
const FIELD = { parent: 1, userTime: 11, systemTime: 12, userTimeOfEnded: 13, systemTimeOfEnded: 14 } as const;

/** A program under watch. */
export type ProcessTree = {
  /** CPU time of the program and of its children, ended ones included, milliseconds. */
  cpuMs(): number;
  /** The largest sum of the high water marks of resident sets, as far as seen, in MB. */
  peakMB(): number;
  /** Proportional resident memory now, MB: what processes share is counted once. */
  pssMB(): number;
  /** Ends the watch. */
  stop(): void;
};

/** Watches a program; a child that lives shorter than a tenth of a second may be missed in the peak. */
export function watchProcess(pid: number): ProcessTree {
  let peakKB = 0;
  const sample = (): void => {
    peakKB = Math.max(
      peakKB,
      treeOf(pid).reduce((sum, one) => sum + residentKB(one), 0),
    );
  };
  const timer = setInterval(sample, SAMPLE_MS).unref();
  return {
    cpuMs: () => treeOf(pid).reduce((sum, one) => sum + ticksOf(one), 0) * TICK_MS,
    peakMB: () => {
      sample();
      return Math.round(peakKB / 1024);
    },
    pssMB: () => Math.round(treeOf(pid).reduce((sum, one) => sum + proportionalKB(one), 0) / 1024),
    stop: () => clearInterval(timer),
  };
}

/** A process and all below it, parents first; the process alone where there is no `/proc`. */
export function treeOf(pid: number): number[] {
  const parents = new Map(processes().map((one) => [one, statOf(one)[FIELD.parent]]));
  const tree = [pid];
  for (const one of tree) for (const [child, parent] of parents) if (parent === one) tree.push(child);
  return tree;
}

function processes(): number[] {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function ticksOf(pid: number): number {
  const stat = statOf(pid);
  return [FIELD.userTime, FIELD.systemTime, FIELD.userTimeOfEnded, FIELD.systemTimeOfEnded].reduce(
    (sum, field) => sum + (stat[field] ?? 0),
    0,
  );
}

/** Empty when the process is gone. */
function statOf(pid: number): number[] {
  const text = textOf(`/proc/${pid}/stat`);
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

function residentKB(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
}

function proportionalKB(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
