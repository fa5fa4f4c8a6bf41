/** A program that receives DICOM: started, watched and ended with its folder. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { watchProcess, type ProcessTree } from '../../support/run/process-tree.ts';

/** A receiver that listens. */
export type Receiver = {
  readonly callingAE: string;
  readonly calledAE: string;
  readonly port: number;
  readonly pid: number;
  readonly used: ProcessTree;
  stop(): Promise<void>;
};

const STARTS_WITHIN_MS = 15_000;

/** Resolves when the program listens on its port. */
export async function listening(
  child: ChildProcess,
  folder: string,
  { port, calledAE }: { port: number; calledAE: string },
): Promise<Receiver> {
  const end = Date.now() + STARTS_WITHIN_MS;
  while (!(await accepts(port))) {
    if (Date.now() > end || child.exitCode !== null) throw new Error(`${calledAE} does not listen`);
    await wait(50);
  }
  const pid = child.pid ?? 0;
  const used = watchProcess(pid);
  return {
    callingAE: 'BENCH',
    calledAE,
    port,
    pid,
    used,
    stop: async () => {
      used.stop();
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
