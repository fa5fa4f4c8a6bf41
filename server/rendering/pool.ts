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

/** Makes the pool; its threads start with the first picture. */
export function renderingPool(options: PoolOptions): FrameRenderer {
  return new RenderingPool(options);
}

class RenderingPool implements FrameRenderer {
  readonly #options: PoolOptions;
  readonly #places: readonly Place[];
  readonly #cache: PictureCache;
  readonly #sweeping: NodeJS.Timeout;
  /** Pictures that are being made or wait, each once for all who ask. */
  readonly #running = new Map<string, { readonly name: string; readonly picture: Promise<Picture> }>();
  #waiting: Task[] = [];
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.threads }, () => new Place(options));
    this.#cache = new PictureCache(options.cacheBytes);
    this.#sweeping = setInterval(() => this.#cache.sweep(), SWEEP_MS).unref();
  }

  async render(request: Asked): Promise<Picture> {
    const key = keyOf(request);
    const kept = this.#cache.get(key);
    if (kept !== undefined) return kept;
    const shared = this.#running.get(key) ?? { name: request.instance.blob.name, picture: this.#enqueue(request) };
    this.#running.set(key, shared);
    try {
      const picture = await shared.picture;
      // What was forgotten meanwhile is not kept.
      if (this.#running.get(key) === shared) this.#cache.set(key, request, picture);
      return picture;
    } finally {
      if (this.#running.get(key) === shared) this.#running.delete(key);
    }
  }

  forget(names: readonly string[]): void {
    const forgotten = new Set(names);
    this.#cache.forget(forgotten);
    for (const [key, { name }] of this.#running) if (forgotten.has(name)) this.#running.delete(key);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweeping);
    for (const { failed } of this.#waiting) failed(new Fault('transient', 'The server stops'));
    this.#waiting = [];
    await Promise.all(this.#places.map((place) => place.end()));
  }

  async #enqueue(request: Asked): Promise<Picture> {
    if (this.#isClosed) throw new Fault('transient', 'The server stops');
    if (this.#waiting.length >= this.#options.maxWaiting)
      throw new Fault('transient', 'Too many renderings are being made: try again later');
    return await new Promise((done, failed) => {
      this.#waiting.push({ request, done, failed });
      this.#next();
    });
  }

  #next(): void {
    for (;;) {
      const place = this.#waiting[0] && placeFor(this.#places, this.#waiting[0].request);
      const task = place && this.#waiting.shift();
      if (place === undefined || task === undefined) return;
      void place.work(task).finally(() => this.#next());
    }
  }
}

/** One place of the pool: a thread while there is work. */
class Place {
  readonly #options: PoolOptions;
  #thread: RenderingThread | undefined;
  #idle: NodeJS.Timeout | undefined;
  isBusy = false;
  /** The blob of the last picture, whose header the thread has at hand. */
  last = '';

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get hasThread(): boolean {
    return this.#thread !== undefined;
  }

  /** Makes a picture and tells who waits for it. */
  async work({ request, done, failed }: Task): Promise<void> {
    clearTimeout(this.#idle);
    this.isBusy = true;
    this.last = request.instance.blob.name;
    this.#thread ??= this.#start();
    try {
      done(await withinTime(this.#thread, request, this.#options.timeLimitMs));
    } catch (error) {
      failed(error);
    }
    this.isBusy = false;
    this.#idle = setTimeout(() => void this.#thread?.end(), this.#options.idleMs).unref();
  }

  async end(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#thread?.end();
  }

  #start(): RenderingThread {
    const thread = this.#options.startThread();
    void thread.ended.then(() => {
      if (this.#thread === thread) this.#thread = undefined;
    });
    return thread;
  }
}

/** A free place, best the one that rendered of the same instance before, else one whose thread runs. */
function placeFor(places: readonly Place[], { instance }: Asked): Place | undefined {
  const free = places.filter(({ isBusy }) => !isBusy);
  return free.find(({ last }) => last === instance.blob.name) ?? free.find(({ hasThread }) => hasThread) ?? free[0];
}

async function withinTime(thread: RenderingThread, request: Asked, limitMs: number): Promise<Picture> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Fault('too-costly', 'It takes longer to render than it may'));
    void thread.end();
  }, limitMs);
  try {
    return await Promise.race([thread.render(request), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
