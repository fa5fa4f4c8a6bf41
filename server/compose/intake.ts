/** Starts the intake thread and speaks for it. */
import { once } from 'node:events';
import type { TlsOptions } from 'node:tls';
import { Worker } from 'node:worker_threads';
import type { FilingCalls, IntakeCalls } from '../endpoints/dimse/intake-calls.ts';
import type { IntakeSettings } from '../threads/intake-thread.ts';
import type { Region } from '../config/region-model.ts';
import { talk, type Serving } from '../threads/thread-talk.ts';

/** The intake thread. */
export type Intake = {
  /** Opens a door; rejects when the address cannot be bound. */
  listen(port: number, tls?: TlsOptions): Promise<{ readonly host: string; readonly port: number }>;
  /** Lets it know of another region: who may call, and may no more. */
  takeRegion(region: Region): Promise<void>;
  /** Closes its doors and ends it. */
  close(): Promise<void>;
};

/** Starts the thread. It has no state that a restart could not rebuild, but a server without it must not seem whole. */
export function openIntake(settings: IntakeSettings, serving: Serving<FilingCalls>): Intake {
  const worker = new Worker(new URL('../threads/intake-thread.ts', import.meta.url), { workerData: settings });
  const { ask, end } = talk<IntakeCalls, FilingCalls>(worker, serving);
  worker.once('error', (error) => {
    throw error;
  });
  worker.once('exit', () => end(new Error('The intake thread has ended')));
  return {
    listen: async (port, tls) => await ask('listen', { port, ...(tls === undefined ? {} : { tls }) }),
    takeRegion: async (region) => void (await ask('region', region)),
    close: async () => {
      await ask('close', undefined);
      const ended = once(worker, 'exit');
      await worker.terminate();
      await ended;
    },
  };
}
