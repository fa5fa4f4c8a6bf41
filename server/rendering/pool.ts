/**
 * The pool that renders: a few threads, one picture each at a time, within a time and a queue. A thread that takes too
 * long, or that a frame brings down, is replaced; nobody else notices.
 */
import { Fault } from '../../profiles/fault.ts';
import type { DocumentRequest, FrameRenderer, Picture, RenderRequest } from '../ports/frame-renderer.ts';
import { keyOf, PictureCache } from './picture-cache.ts';

/** What is rendered. */
type Asked = RenderRequest | DocumentRequest;

/** A thread that renders. */
export type RenderingThread = {
  /** @throws {Fault} too-costly - the thread has ended meanwhile, for want of memory */
  readonly render: (request: Asked) => Promise<Picture>;
  /** Ends it at once; what it works on fails. */
  readonly end: () => Promise<void>;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
};

/** What the pool is made of. */
export type PoolOptions = {
  readonly startThread: () => RenderingThread;
  readonly threads: number;
  /** Pictures that may wait. */
  readonly maxWaiting: number;
  /** Milliseconds that one picture may take. */
  readonly timeLimitMs: number;
  /** Milliseconds after which a thread without work is ended. */
  readonly idleMs: number;
  readonly cacheBytes: number;
};

/** The limits that hold unless a test names others. */
export const POOL_LIMITS = {
  maxWaiting: 200,
  timeLimitMs: 20_000,
  idleMs: 60_000,
  cacheBytes: 64 * 1024 * 1024,
} as const;

const SWEEP_MS = 30_000;

type Task = {
  readonly request: Asked;
  readonly done: (picture: Picture) => void;
  readonly failed: (error: unknown) => void;
};

/** One place of the pool: a thread while there is work. */
type Place = { thread: RenderingThread | undefined; last: string; idle: NodeJS.Timeout | undefined; isBusy: boolean };

/** Makes the pool; its threads start with the first picture. */
export function renderingPool(options: PoolOptions): FrameRenderer {
  const places: readonly Place[] = Array.from({ length: options.threads }, () => ({
    thread: undefined,
    last: '',
    idle: undefined,
    isBusy: false,
  }));
  const waiting: Task[] = [];
  const running = new Map<string, Promise<Picture>>();
  const cache = new PictureCache(options.cacheBytes);
  const sweeping = setInterval(() => cache.sweep(), SWEEP_MS).unref();
  let isClosed = false;

  const next = (): void => {
    for (const task of [...waiting]) {
      const place = placeFor(places, task.request);
      if (place === undefined) return;
      waiting.splice(waiting.indexOf(task), 1);
      void work(place, task, options).finally(next);
    }
  };
  const enqueue = async (request: Asked): Promise<Picture> => {
    if (isClosed) throw new Fault('transient', 'The server stops');
    if (waiting.length >= options.maxWaiting)
      throw new Fault('transient', 'Too many pictures are being made: try again later');
    return await new Promise((done, failed) => {
      waiting.push({ request, done, failed });
      next();
    });
  };
  return {
    render: async (request) => {
      const key = keyOf(request);
      const kept = cache.get(key);
      if (kept !== undefined) return kept;
      const shared = running.get(key) ?? enqueue(request);
      running.set(key, shared);
      try {
        const picture = await shared;
        // What was forgotten meanwhile is not kept.
        if (running.get(key) === shared) cache.set(key, request, picture);
        return picture;
      } finally {
        if (running.get(key) === shared) running.delete(key);
      }
    },
    forget: (names) => {
      const forgotten = new Set(names);
      cache.forget(forgotten);
      for (const key of running.keys()) if (forgotten.has(String(JSON.parse(key)[0]))) running.delete(key);
    },
    close: async () => {
      isClosed = true;
      clearInterval(sweeping);
      for (const { failed } of waiting.splice(0)) failed(new Fault('transient', 'The server stops'));
      await Promise.all(
        places.map(async ({ thread, idle }) => {
          clearTimeout(idle);
          await thread?.end();
        }),
      );
    },
  };
}

/** A free place, best the one that rendered of the same instance before. */
function placeFor(places: readonly Place[], { instance }: Asked): Place | undefined {
  const free = places.filter(({ isBusy }) => !isBusy);
  return (
    free.find(({ last }) => last === instance.blob.name) ?? free.find(({ thread }) => thread !== undefined) ?? free[0]
  );
}

async function work(place: Place, task: Task, options: PoolOptions): Promise<void> {
  clearTimeout(place.idle);
  place.isBusy = true;
  place.last = task.request.instance.blob.name;
  const thread = (place.thread ??= started(place, options));
  try {
    task.done(await withinTime(thread, task.request, options.timeLimitMs));
  } catch (error) {
    task.failed(error);
  }
  place.isBusy = false;
  place.idle = setTimeout(() => void place.thread?.end(), options.idleMs).unref();
}

function started(place: Place, { startThread }: PoolOptions): RenderingThread {
  const thread = startThread();
  void thread.ended.then(() => {
    if (place.thread === thread) place.thread = undefined;
  });
  return thread;
}

async function withinTime(thread: RenderingThread, request: Asked, limitMs: number): Promise<Picture> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Fault('too-costly', 'The picture takes longer to make than one may'));
    void thread.end();
  }, limitMs);
  try {
    return await Promise.race([thread.render(request), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
