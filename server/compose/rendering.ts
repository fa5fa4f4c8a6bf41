/** Starts the pool that renders, and speaks for its threads. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Fault } from '../../profiles/fault.ts';
import type { FrameRenderer } from '../ports/frame-renderer.ts';
import { POOL_LIMITS, renderingPool, type RenderingThread } from '../rendering/pool.ts';
import type { RenderingCalls, RenderingSettings } from '../threads/rendering-thread.ts';
import { talk } from '../threads/thread-talk.ts';

/** More would take the memory of the server for pictures. */
const MOST_THREADS = 4;
/** Heap of a thread: headers and tables. Pixels lie outside of it, within limits of their own. */
const HEAP_MB = 256;

/** Opens the pool over the images of a data folder. */
export function openRendering(settings: RenderingSettings): FrameRenderer {
  const threads = Math.min(availableParallelism(), MOST_THREADS);
  return renderingPool({ ...POOL_LIMITS, threads, startThread: () => startThread(settings) });
}

function startThread(settings: RenderingSettings): RenderingThread {
  const worker = new Worker(new URL('../threads/rendering-thread.ts', import.meta.url), {
    workerData: settings,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const { ask, end } = talk<RenderingCalls, Record<string, never>>(worker, {});
  let hasEnded = false;
  const ended = new Promise<void>((done) => worker.once('exit', () => done()));
  void ended.then(() => {
    hasEnded = true;
    end(new Error('The thread has ended'));
  });
  // It may end for want of memory, which is the fault of what it works on.
  worker.on('error', () => undefined);
  return {
    render: async (request) => {
      try {
        return await ask('render', request);
      } catch (error) {
        throw hasEnded ? new Fault('too-costly', 'It takes more memory to render than it may') : error;
      }
    },
    end: async () => void (await worker.terminate()),
    ended,
  };
}
