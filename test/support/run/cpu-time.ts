/** Time of the processor: what must be cheap is asserted by it, so that a loaded machine passes. */
import { readFileSync } from 'node:fs';

/** A clock tick of Linux, which /proc counts in. @see proc_pid_stat(5) */
const TICK_MS = 10;

/** Milliseconds of processor time that a process has used, all its threads together; exact to 10 ms. */
export function processorMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in brackets, may hold spaces. User and system time are the 14th and 15th fields.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Milliseconds of processor time that this process uses during work, all its threads together. */
export async function processorMsDuring(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
